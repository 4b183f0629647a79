#!/bin/sh
# prove_rooms.sh: plants one forbidden include after the other and expects check_rooms.sh to refuse each, and nothing else.
check=$(dirname "$0")/check_rooms.sh
tree=$(mktemp -d) || exit 2
trap 'rm -rf "$tree"' EXIT
failed=0
plant() { # folder, include line, expected exit status
	rm -rf "${tree:?}"/*
	mkdir -p "$tree/$1"
	echo "$2" >"$tree/$1/x.c"
	"$check" "$tree" >/dev/null
	[ $? -eq "$3" ] && return
	echo "in $1: $2: expected exit status $3"
	failed=1
}
plant hal/src '#include <halyard/plugin.h>' 0
plant hal/src '#include <halyard/ir.h>' 1
plant hal/src '#include "../../ir/src/graph.h"' 1
plant hal/src/topology '#include <hwloc.h>' 1
plant hal/src '#include <CL/cl.h>' 1
plant ir/src '#include <halyard/graph.h>' 0
plant ir/src '#include <halyard/ir/op.h>' 0
plant ir/src '#include <halyard/hal.h>' 1
plant ir/src '#include <halyard/plugin.h>' 1
plant scheduler/src '#include <halyard/ir/blob.h>' 0
plant scheduler/src '#include <halyard/yaml.h>' 0
plant ir/src '#include <halyard/yaml.h>' 1
plant yaml/src '#include <halyard/hal.h>' 1
plant scheduler/src '#include <halyard/halyard.h>' 1
plant scheduler/src '#include <cuda.h>' 1
plant plugins/x '#include <halyard/plugin.h>' 0
plant plugins/x '#include <halyard/ir/eval.h>' 0
plant plugins/x '#include <halyard/yaml.h>' 0
plant hal/src '#include <halyard/yaml.h>' 0
plant plugins/x '#include <halyard/hal.h>' 1
plant plugins/x '#include <halyard/sched.h>' 1
plant plugins/x ' # include "../cpu/cpu_queue.h"' 1
plant conformance/src '#include <halyard/hal.h>' 0
plant conformance/src '#include <halyard/sched.h>' 1
plant lib/src '#include <halyard/sched.h>' 0
plant tools/src '#include <halyard/halyard.h>' 0
plant tools/src '#include "../../hal/src/pool.h"' 1
exit $failed
