#!/bin/sh
# check_examples.sh README SOURCE: the first C block of README is what SOURCE compiles between "README: ... begin" and "end".
shown=$(sed -n '/^```c$/,/^```$/{/^```/d;p}' "$1" | awk 'NF' | sed 's/^[[:space:]]*//')
built=$(sed -n '/README: .* begin/,/README: .* end/{/README:/d;p}' "$2" | awk 'NF' | sed 's/^[[:space:]]*//')
[ -n "$shown" ] && [ "$shown" = "$built" ] && exit 0
echo "the example in $1 is not what $2 compiles"
exit 1
