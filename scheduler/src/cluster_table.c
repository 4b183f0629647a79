/* What may stand in a description of a cluster. The JSON Schema is made of this table. */
#include "cluster_read.h"

#include "cluster_range.h"

#define NAME "[A-Za-z0-9._-]"
#define COUNT_OF(fields) (uint32_t)(sizeof(fields) / sizeof((fields)[0]))
#define MAP_OF(rows) .type = HY_YAML_MAP, .field_count = COUNT_OF(rows), .fields = (rows)
#define ISOLATION                                                                           \
	{                                                                                   \
		.key = "isolation", .type = HY_YAML_WORD, .words = "in-process|worker",     \
		.help = "whether its plugin runs in the program or in a process of its own" \
	}
#define CORES(name, says)                                                          \
	{                                                                          \
		.key = (name), .type = HY_YAML_TEXT,                               \
		.pattern = "[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*", \
		.form = "list of cores: write 0-3,8", .help = (says)               \
	}
#define BANDWIDTH(says)                                                                              \
	{                                                                                            \
		.key = "bandwidth", .type = HY_YAML_RATE, .least = 1e3, .most = 1e15, .help = (says) \
	}
#define LATENCY                                                                   \
	{                                                                         \
		.key = "latency", .type = HY_YAML_TIME, .least = 0, .most = 1e10, \
		.help = "until the first byte is there"                           \
	}

static const hy_yaml_field peak_fields[] = {
	{.key = "f32", .type = HY_YAML_OPS, .least = 1, .most = 1e21, .help = "32-bit floating point"},
	{.key = "f16", .type = HY_YAML_OPS, .least = 1, .most = 1e21, .help = "16-bit floating point"},
	{.key = "i8", .type = HY_YAML_OPS, .least = 1, .most = 1e21, .help = "8-bit integers"},
};

static const hy_yaml_field type_fields[] = {
	{.key = "plugin",
         .type = HY_YAML_TEXT,
         .required = true,
         .pattern = "[A-Za-z0-9-]{1,31}",
         .form = "name of a plugin: letters, digits, '-'",
         .help = "the plugin that drives it; its devices are called PLUGIN:NUMBER"},
	{.key = "kind",
         .type = HY_YAML_WORD,
         .words = "cpu|gpu|npu|other",
         .help = "what it is; cpu when it has cores, else other. A cpu computes in the host's memory"},
	{.key = "vendor", .type = HY_YAML_TEXT, .help = "who made it"},
	{.key = "model", .type = HY_YAML_TEXT, .help = "what its maker calls it"},
	{.key = "memory", .type = HY_YAML_AMOUNT, .least = 1, .most = 1e18, .help = "of one device"},
	{.key = "cores", .type = HY_YAML_COUNT, .least = 1, .most = 65536, .help = "of one device, for kind cpu"},
	BANDWIDTH("of its memory"),
	{.key = "peak", MAP_OF(peak_fields), .help = "operations per second, for predictions without a measurement"},
	{.key = "launch", .type = HY_YAML_TIME, .least = 0, .most = 1e10, .help = "from submission to start"},
	{.key = "calibration", .type = HY_YAML_TEXT, .help = "file of measured costs, from this file's folder"},
	ISOLATION,
};

static const hy_yaml_field type_item = {MAP_OF(type_fields)};

static const hy_yaml_field pci_item = {
	.type = HY_YAML_TEXT,
	.pattern = "[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f][.][0-7]",
	.form = "PCI address: write 0000:41:00.0",
};

static const hy_yaml_field device_fields[] = {
	{.key = "id",
         .type = HY_YAML_TEXT,
         .required = true,
         .pattern = HY_SCHED_RANGE_PATTERN("[A-Za-z0-9:_-]"),
         .form = "id of devices: write cuda:0 or cuda:[0-3]",
         .help = "PLUGIN:NUMBER, or a range of them"},
	{.key = "type", .type = HY_YAML_TEXT, .required = true, .help = "one of deviceTypes"},
	{.key = "numa", .type = HY_YAML_COUNT, .most = 15, .help = "the NUMA node it is attached to"},
	CORES("cores", "cores of the host that are near it, or that it computes on"),
	{.key = "pci",
         .type = HY_YAML_LIST,
         .item = &pci_item,
         .least = 1,
         .most = 256,
         .help = "one for each of the range"},
	{.key = "file",
         .type = HY_YAML_TEXT,
         .pattern = "/" HY_SCHED_RANGE_PATTERN("[A-Za-z0-9:._/-]"),
         .form = "path: write /dev/nvidia[0-1]",
         .help = "its device file, as a range"},
	ISOLATION,
};

static const hy_yaml_field device_item = {MAP_OF(device_fields)};

static const hy_yaml_field end_item = {
	.type = HY_YAML_TEXT,
	.pattern = HY_SCHED_RANGE_PATTERN("[A-Za-z0-9.:_*?-]"),
	.form = "name, range or glob: write cuda:0, cuda:[0-3] or cuda:*",
};

#define LINK_FIELDS                                                                                                   \
	{.key = "between",                                                                                            \
	 .type = HY_YAML_LIST,                                                                                        \
	 .required = true,                                                                                            \
	 .item = &end_item,                                                                                           \
	 .least = 2,                                                                                                  \
	 .most = 2,                                                                                                   \
	 .help = "two names, ranges or globs; every one of the first with every one of the second"},                  \
		{.key = "class",                                                                                      \
	         .type = HY_YAML_TEXT,                                                                                \
	         .pattern = "SAME|C2C|PIX|PXB|PHB|NODE|SYS|NET|(NV|XG|HC)[1-9][0-9]?",                                \
	         .form = "class of links: PIX, PXB, PHB, NODE, SYS, NV#, XG#, HC#, C2C, SAME or NET",                 \
	         .help = "gives what is not said; # is the number of bonds"},                                         \
		BANDWIDTH("of one direction"), LATENCY,                                                               \
		{.key = "duplex", .type = HY_YAML_WORD, .words = "full|half", .help = "half: both directions share"}, \
		{.key = "direction",                                                                                  \
	         .type = HY_YAML_WORD,                                                                                \
	         .words = "both|forward",                                                                             \
	         .help = "forward: from the first to the second only; the way back is an entry of its own"},          \
	{                                                                                                             \
		.key = "shared", .type = HY_YAML_TEXT, .pattern = NAME "{1,63}",                                      \
		.form = "name: letters, digits, '.', '_', '-'",                                                       \
		.help = "links of the same name share their time, per direction and node"                             \
	}

static const hy_yaml_field link_fields[] = {
	LINK_FIELDS,
	{.key = "path",
         .type = HY_YAML_WORD,
         .words = "direct|staged",
         .help = "staged: these are the numbers of a copy through the host"},
};
static const hy_yaml_field link_item = {MAP_OF(link_fields)};

static const hy_yaml_field net_link_fields[] = {LINK_FIELDS};
static const hy_yaml_field net_link_item = {MAP_OF(net_link_fields)};

static const hy_yaml_field node_fields[] = {
	{.key = "name",
         .type = HY_YAML_TEXT,
         .required = true,
         .pattern = HY_SCHED_RANGE_PATTERN(NAME),
         .form = "name of nodes: write node01 or node[01-16]",
         .help = "host name, or a range of them that are alike"},
	{.key = "numa", .type = HY_YAML_COUNT, .least = 1, .most = 16, .help = "number of NUMA nodes, 1 if not given"},
	{.key = "cores", .type = HY_YAML_COUNT, .least = 1, .most = 65536, .help = "of the node"},
	{.key = "memory", .type = HY_YAML_AMOUNT, .least = 1, .most = 1e18, .help = "of the node"},
	CORES("reservedCores", "cores that devices leave alone"),
	ISOLATION,
	{.key = "devices",
         .type = HY_YAML_LIST,
         .required = true,
         .item = &device_item,
         .least = 1,
         .most = HY_SCHED_CLUSTER_NODE_DEVICES,
         .help = "what computes there"},
	{.key = "links",
         .type = HY_YAML_LIST,
         .item = &link_item,
         .most = 4096,
         .help = "between devices and host memory (host, numa:0) of one node; the first that fits a pair counts"},
};
static const hy_yaml_field node_item = {MAP_OF(node_fields)};

static const hy_yaml_field switch_fields[] = {
	{.key = "switch",
         .type = HY_YAML_TEXT,
         .required = true,
         .pattern = NAME "{1,63}",
         .form = "name: letters, digits, '.', '_', '-'",
         .help = "its name"},
	{.key = "nodes",
         .type = HY_YAML_TEXT,
         .pattern = HY_SCHED_RANGE_PATTERN("[A-Za-z0-9._*?-]"),
         .form = "name, range or glob: write node01, node[01-16] or node*",
         .help = "nodes that hang on it"},
	{.key = "switches",
         .type = HY_YAML_TEXT,
         .pattern = HY_SCHED_RANGE_PATTERN("[A-Za-z0-9._*?-]"),
         .form = "name, range or glob: write leaf0, leaf[0-3] or leaf*",
         .help = "switches that hang on it"},
	BANDWIDTH("of each link down, one direction"),
	LATENCY,
};
static const hy_yaml_field switch_item = {MAP_OF(switch_fields)};

static const hy_yaml_field tree_fields[] = {
	{.key = "switches",
         .type = HY_YAML_LIST,
         .required = true,
         .item = &switch_item,
         .least = 1,
         .most = 1024,
         .help = "from the leaves to the root"},
};

static const hy_yaml_field network_fields[] = {
	{.key = "tree", MAP_OF(tree_fields), .help = "switches and what hangs on them"},
	{.key = "links",
         .type = HY_YAML_LIST,
         .item = &net_link_item,
         .most = 4096,
         .help = "between nodes and switches"},
};

static const hy_yaml_field spec_fields[] = {
	{.key = "deviceTypes",
         .type = HY_YAML_TABLE,
         .required = true,
         .pattern = NAME "{1,63}",
         .form = "name: letters, digits, '.', '_', '-'",
         .item = &type_item,
         .least = 1,
         .most = 256,
         .help = "what devices there are"},
	{.key = "nodes",
         .type = HY_YAML_LIST,
         .required = true,
         .item = &node_item,
         .least = 1,
         .most = HY_SCHED_CLUSTER_NODES,
         .help = "where they stand"},
	{.key = "network", MAP_OF(network_fields), .help = "what lies between nodes; one switch if not given"},
};

static const hy_yaml_field metadata_fields[] = {
	{.key = "name",
         .type = HY_YAML_TEXT,
         .required = true,
         .pattern = NAME "{1,63}",
         .form = "name: letters, digits, '.', '_', '-'",
         .help = "of the cluster"},
};

static const hy_yaml_field cluster_fields[] = {
	{.key = "apiVersion",
         .type = HY_YAML_WORD,
         .required = true,
         .words = "halyard.dev/v1",
         .help = "of this form"},
	{.key = "kind", .type = HY_YAML_WORD, .required = true, .words = "Cluster", .help = "what is described"},
	{.key = "metadata", .required = true, MAP_OF(metadata_fields), .help = "about the description"},
	{.key = "spec", .required = true, MAP_OF(spec_fields), .help = "the cluster"},
};

const hy_yaml_field hy_sched__cluster_table = {MAP_OF(cluster_fields),
                                               .help = "A cluster for halyard: devices, nodes, links, network"};

char *hy_sched_cluster_schema(void)
{
	return hy_yaml_schema_print(&hy_sched__cluster_table, "halyard.dev/v1 Cluster");
}
