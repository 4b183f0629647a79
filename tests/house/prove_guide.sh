#!/bin/sh
# prove_guide.sh TREE BINARY: a plugin made by the commands of plugins/README.md, steps 1 to 3, in an empty folder, loads and works.
set -e
HALYARD=$1
export HALYARD
lister=$2
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
cp -r "$HALYARD/plugins" plugins
sed -n '/^\*\*1\. /,/^\*\*4\. /p' "$HALYARD/plugins/README.md" | sed -n '/^```sh$/,/^```$/{/^```/d;p}' >steps.sh
grep -c . steps.sh >/dev/null
. ./steps.sh
exec "$lister" "$PWD/plugins.d"
