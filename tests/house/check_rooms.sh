#!/bin/sh
# check_rooms.sh TREE: refuses includes against the arrows of the house (README: map of rooms).
# Each line: folder, then the public doors it may open besides its own. Inside quotes, nobody climbs through "..".
tree=${1:?usage: check_rooms.sh TREE}
cd "$tree" || exit 2
faults=$(
	while read -r room doors; do
		[ -d "$room" ] || continue
		grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"](halyard/|.*\.\./)' "$room" |
			grep -vE "include[[:space:]]*<halyard/($doors)>"
	done <<-'ROOMS'
		hal          (hal|plugin|graph|dtype|status|yaml)\.h
		yaml         (status|yaml)\.h
		ir           (ir|graph|dtype|status)\.h|ir/[a-z_]+\.(h|def)
		scheduler    (hal|plugin|graph|dtype|status|ir|sched|cluster|simulate|yaml)\.h|ir/[a-z_]+\.(h|def)|sched/[a-z_]+\.h
		lib          (hal|ir|sched|cluster|simulate|halyard)\.h
		plugins      (plugin|graph|dtype|status|ir|kernels|yaml)\.h|ir/[a-z_]+\.(h|def)
		conformance  (hal|plugin|graph|dtype|status|ir|conform)\.h|conform/options\.def|ir/[a-z_]+\.(h|def)
		tools        [a-z_]+\.h|conform/options\.def|ir/[a-z_]+\.(h|def)|sched/[a-z_]+\.h
	ROOMS
	# a vendor word outside the plugins
	grep -rnE --include='*.[ch]' '#[[:space:]]*include[[:space:]]*[<"](cuda|hip|CL/|acl/|dnnl|oneapi/)' \
		hal yaml ir scheduler lib conformance 2>/dev/null
	# hwloc is used in hal's topology files alone
	grep -rnE --include='*.[ch]' '#[[:space:]]*include[[:space:]]*<hwloc' hal yaml ir scheduler lib plugins 2>/dev/null |
		grep -vE '^hal/src/topology(_map)?\.c:'
)
[ -z "$faults" ] && exit 0
echo "forbidden includes:"
echo "$faults"
exit 1
