/* halyard simulate: what a model would do on a cluster that is described, in virtual time. */
#include "cmd.h"
#include "model.h"
#include "print.h"
#include "report.h"

#include <halyard/halyard.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the options say, with what it lends. */
typedef struct asked {
	hy_sched_simulation_options options;
	hy_sched_item_time item_times[TOOL_LIST_MAX];
	char *names[TOOL_LIST_MAX]; /* owned */
	hy_sched_script script;
} asked;

/* ---- reading ---- */

static bool read_number(const char *text, double *out_number, const char **out_unit)
{
	char *end;
	const double number = strtod(text, &end);
	if (end == text || !(number > 0) || number > 1e18) return false;
	*out_number = number;
	*out_unit = end;
	return true;
}

/* "12GB/s", "100Gbit/s". */
static bool read_bandwidth(const char *text, double *out_bytes_per_s)
{
	static const struct {
		const char *unit;
		double bytes_per_s;
	} units[] = {{"GB/s", 1e9},       {"MB/s", 1e6},       {"TB/s", 1e12}, {"GiB/s", 1073741824.0},
	             {"Gbit/s", 1e9 / 8}, {"Mbit/s", 1e6 / 8}, {"kB/s", 1e3}};
	const char *unit;
	double number;
	if (!read_number(text, &number, &unit)) return false;
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		if (strcmp(unit, units[u].unit) != 0) continue;
		*out_bytes_per_s = number * units[u].bytes_per_s;
		return true;
	}
	return false;
}

/* A host by its node's name, or any place by its own. */
static uint32_t find_place(const hy_sched_cluster *cluster, const char *name)
{
	const uint32_t node = hy_sched_cluster_find_node(cluster, name);
	if (node != HY_SCHED_CLUSTER_NONE) return cluster->nodes[node].first_place;
	for (uint32_t p = 0; p < cluster->place_count; p++)
		if (strcmp(cluster->places[p].name, name) == 0) return p;
	return HY_SCHED_CLUSTER_NONE;
}

/* "A,B=12GB/s": both ways. */
static tool_exit set_link(hy_sched_cluster *cluster, const char *text)
{
	char ends[2][256];
	double bytes_per_s;
	int used = 0;
	hy_error error = {0};
	if (sscanf(text, "%255[^,],%255[^=]=%n", ends[0], ends[1], &used) != 2 || used == 0 ||
	    !read_bandwidth(text + used, &bytes_per_s))
		return tool_report(TOOL_EXIT_USAGE,
		                   "--link %s: write PLACE,PLACE=12GB/s, as node01/cuda:0,node01=12GB/s", text);
	uint32_t places[2];
	for (int i = 0; i < 2; i++) {
		places[i] = find_place(cluster, ends[i]);
		if (places[i] == HY_SCHED_CLUSTER_NONE)
			return tool_report(TOOL_EXIT_USAGE, "--link %s: cluster %s has no node or place '%s'", text,
			                   cluster->name, ends[i]);
	}
	for (int i = 0; i < 2; i++)
		if (hy_sched_cluster_set_link(cluster, places[i], places[1 - i], bytes_per_s, 0, HY_SCHED_GIVEN,
		                              &error) != HY_OK)
			return tool_report_error(TOOL_EXIT_USAGE, &error);
	return TOOL_EXIT_OK;
}

/* "TYPE=1.5ms". */
static tool_exit add_item_time(asked *wishes, const char *text)
{
	const char *equals = strchr(text, '='), *unit = NULL;
	double number = 0;
	const uint32_t i = wishes->options.item_time_count;
	const bool is_number = equals != NULL && equals > text && read_number(equals + 1, &number, &unit);
	const double ns = !is_number                ? 0
	                  : strcmp(unit, "ms") == 0 ? number * 1e6
	                  : strcmp(unit, "us") == 0 ? number * 1e3
	                  : strcmp(unit, "s") == 0  ? number * 1e9
	                                            : 0;
	if (!(ns >= 1 && ns <= 1e15))
		return tool_report(TOOL_EXIT_USAGE, "--item-time %s: write TYPE=1.5ms, the model's time on that type",
		                   text);
	wishes->names[i] = strndup(text, (size_t)(equals - text));
	if (wishes->names[i] == NULL) return tool_report(TOOL_EXIT_NO, "host memory exhausted");
	wishes->item_times[i] = (hy_sched_item_time){.type = wishes->names[i], .item_ns = (uint64_t)ns};
	wishes->options.item_time_count++;
	return TOOL_EXIT_OK;
}

static const char *const strategies[] = {"auto", "single", "replicas", "cut", "spatial", "pipeline", "groups"};

static const char *strategy_name(hy_sched_strategy strategy)
{
	return (unsigned)strategy < sizeof(strategies) / sizeof(strategies[0]) ? strategies[strategy] : "unknown";
}

static hy_sched_strategy strategy_of(const char *name)
{
	for (uint32_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++)
		if (tool_options_is(name, strategies[i])) return (hy_sched_strategy)i;
	return HY_SCHED_AUTO;
}

static tool_exit read_options(const tool_options *options, asked *wishes)
{
	tool_exit code = TOOL_EXIT_OK;
	hy_error error = {0};
	if (!(options->duration > 0 && options->duration <= 1e6) || !(options->rate >= 0) ||
	    !(options->request_deadline >= 0) || options->request_deadline > 1e12)
		return tool_report(TOOL_EXIT_USAGE, "simulate: --duration above 0, --rate and --deadline not below 0");
	wishes->options = (hy_sched_simulation_options){
		.size = sizeof(wishes->options),
		.strategy = strategy_of(options->strategy),
		.job = options->job,
		.duration_ns = (uint64_t)(options->duration * 1e9),
		.rate_per_s = options->rate,
		.deadline_ns = (uint64_t)(options->request_deadline * 1e6),
		.noise = options->noise,
		.calibration_error = options->calibration_error,
		.seed = options->seed,
		.source = options->source,
		.without_count = options->without.count,
		.without = options->without.items,
		.add_count = options->add.count,
		.add = options->add.items,
		.item_times = wishes->item_times,
		.trace_path = options->trace,
	};
	for (uint32_t i = 0; i < options->item_time.count && code == TOOL_EXIT_OK; i++)
		code = add_item_time(wishes, options->item_time.items[i]);
	if (code != TOOL_EXIT_OK || options->script == NULL) return code;
	if (hy_sched_script_load(options->script, &wishes->script, &error) != HY_OK)
		return tool_report_error(TOOL_EXIT_CONFIGURATION, &error);
	wishes->options.script = &wishes->script;
	return TOOL_EXIT_OK;
}

static tool_exit load_cluster(const tool_options *options, hy_sched_cluster **out_cluster)
{
	hy_error error = {0};
	hy_sched_faults faults = {0};
	tool_exit code = TOOL_EXIT_OK;
	if (hy_sched_cluster_load(options->operands[0], out_cluster, &faults, &error) != HY_OK)
		code = tool_report_error(TOOL_EXIT_CONFIGURATION, &error);
	hy_sched_faults_finish(&faults);
	for (uint32_t i = 0; i < options->link.count && code == TOOL_EXIT_OK; i++)
		code = set_link(*out_cluster, options->link.items[i]);
	return code;
}

static tool_exit load_model(const tool_options *options, hy_ir_graph **out_graph)
{
	const char *path = options->operands[1];
	tool_exit code = tool_model_load(path, out_graph);
	if (code == TOOL_EXIT_OK) code = tool_model_bind(options, *out_graph, NULL);
	if (code == TOOL_EXIT_OK) code = tool_model_prepare(options, path, *out_graph);
	return code;
}

/* ---- printing ---- */

/* One line per type. */
static tool_exit print_types(const hy_sched_cluster *cluster, const hy_sched_simulation_info *info)
{
	static const tool_column columns[] = {{"TYPE", TOOL_LEFT},   {"DEVICES", TOOL_RIGHT}, {"ALONE", TOOL_RIGHT},
	                                      {"SHARE", TOOL_RIGHT}, {"AT WORK", TOOL_RIGHT}, {"LEAST", TOOL_RIGHT},
	                                      {"LOST", TOOL_RIGHT}};
	tool_table *table = tool_table_create(sizeof(columns) / sizeof(columns[0]), columns);
	for (uint32_t t = 0; t < cluster->type_count; t++) {
		double use = 0, least = 1, wasted = 0;
		uint64_t items = 0, all = 0, item_ns = 0;
		uint32_t count = 0;
		char text[32];
		for (uint32_t d = 0; d < info->device_count; d++) {
			const hy_sched_simulation_device *device = &info->devices[d];
			all += device->items;
			if (strcmp(device->type, cluster->types[t].name) != 0 || !device->in_plan) continue;
			count++;
			items += device->items;
			item_ns = device->item_ns;
			use += device->use;
			wasted += device->wasted;
			if (device->use < least) least = device->use;
		}
		if (count == 0) continue;
		tool_table_line(table);
		tool_table_cell(table, "%s", cluster->types[t].name);
		tool_table_cell(table, "%u", count);
		tool_table_cell(table, "%s", tool_print_ns(item_ns, text, sizeof(text)));
		tool_table_cell(table, "%.2f %%", all > 0 ? 100 * (double)items / (double)all : 0);
		tool_table_cell(table, "%.2f %%", 100 * use / count);
		tool_table_cell(table, "%.2f %%", 100 * least);
		tool_table_cell(table, "%.2f %%", 100 * wasted / count);
	}
	return tool_table_print(table);
}

static void print_candidates(const hy_sched_simulation_info *info)
{
	for (uint32_t c = 0; c < info->candidate_count; c++) {
		const hy_sched_simulation_candidate *candidate = &info->candidates[c];
		if (candidate->strategy == info->strategy)
			printf("plan        %s on %u device%s: %.1f/s predicted, %.1f/s is what no plan can beat\n",
			       strategy_name(info->strategy), candidate->device_count,
			       candidate->device_count == 1 ? "" : "s", info->predicted_per_s, info->bound_per_s);
	}
	for (uint32_t c = 0; c < info->candidate_count; c++) {
		const hy_sched_simulation_candidate *candidate = &info->candidates[c];
		if (candidate->strategy != info->strategy)
			printf("            %s on %u device%s: %.1f/s\n", strategy_name(candidate->strategy),
			       candidate->device_count, candidate->device_count == 1 ? "" : "s", candidate->per_s);
	}
}

static tool_exit print_text(const hy_sched_cluster *cluster, const hy_sched_simulation_info *info)
{
	char p50[32], p99[32], worst[32];
	printf("cluster     %s: %u nodes, %u devices\n", cluster->name, cluster->node_count, info->device_count);
	print_candidates(info);
	printf("answers     %.1f/s: %llu in %.3f s\n", info->per_s, (unsigned long long)info->ok,
	       (double)info->end_ns / 1e9);
	printf("at work     %.2f %% of the capacity, %.2f %% of the mean device, %.2f %% of the least\n",
	       100 * info->u_cap, 100 * info->u_dev, 100 * info->u_min);
	printf("latency     %s median, %s 99th percentile, %s worst\n", tool_print_ns(info->p50_ns, p50, sizeof(p50)),
	       tool_print_ns(info->p99_ns, p99, sizeof(p99)), tool_print_ns(info->worst_ns, worst, sizeof(worst)));
	printf("requests    %llu accepted, %llu refused, %llu dropped; %llu failed, %llu too late\n",
	       (unsigned long long)info->accepted, (unsigned long long)info->refused, (unsigned long long)info->dropped,
	       (unsigned long long)info->error, (unsigned long long)info->deadline);
	printf("corrected   %llu started again, %llu run twice, %llu steals, %llu changes of speed noticed\n",
	       (unsigned long long)info->replays, (unsigned long long)info->backups, (unsigned long long)info->steals,
	       (unsigned long long)info->drifts);
	if (info->busiest_link != NULL)
		printf("busiest     link %s, %.1f %% of the time\n", info->busiest_link, 100 * info->busiest_link_use);
	putchar('\n');
	return print_types(cluster, info);
}

static json_t *device_json(const hy_sched_simulation_device *device)
{
	return json_pack("{ss ss sb sb sI sI sf sf}", "name", device->name, "type", device->type, "measured",
	                 device->measured, "in_plan", device->in_plan, "item_ns", (json_int_t)device->item_ns, "items",
	                 (json_int_t)device->items, "at_work", device->use, "lost", device->wasted);
}

static tool_exit print_json(const hy_sched_cluster *cluster, const hy_sched_simulation_info *info)
{
	json_t *const devices = json_array(), *const candidates = json_array();
	for (uint32_t d = 0; d < info->device_count; d++)
		json_array_append_new(devices, device_json(&info->devices[d]));
	for (uint32_t c = 0; c < info->candidate_count; c++)
		json_array_append_new(
			candidates, json_pack("{ss si si sf}", "strategy", strategy_name(info->candidates[c].strategy),
		                              "devices", (int)info->candidates[c].device_count, "lanes",
		                              (int)info->candidates[c].lane_count, "per_s", info->candidates[c].per_s));
	json_t *const object = json_pack("{ss ss ss si sf sf sf sI so so}", "schema", "halyard.simulate/v1", "cluster",
	                                 cluster->name, "strategy", strategy_name(info->strategy), "lanes",
	                                 (int)info->lane_count, "predicted_per_s", info->predicted_per_s, "bound_per_s",
	                                 info->bound_per_s, "per_s", info->per_s, "end_ns", (json_int_t)info->end_ns,
	                                 "candidates", candidates, "devices", devices);
	json_object_set_new(object, "at_work",
	                    json_pack("{sf sf sf}", "capacity", info->u_cap, "mean_device", info->u_dev, "least_device",
	                              info->u_min));
	json_object_set_new(object, "latency_ns",
	                    json_pack("{sI sI sI}", "p50", (json_int_t)info->p50_ns, "p99", (json_int_t)info->p99_ns,
	                              "worst", (json_int_t)info->worst_ns));
	json_object_set_new(object, "requests",
	                    json_pack("{sI sI sI sI sI sI}", "accepted", (json_int_t)info->accepted, "ok",
	                              (json_int_t)info->ok, "failed", (json_int_t)info->error, "too_late",
	                              (json_int_t)info->deadline, "refused", (json_int_t)info->refused, "dropped",
	                              (json_int_t)info->dropped));
	json_object_set_new(object, "corrected",
	                    json_pack("{sI sI sI sI}", "started_again", (json_int_t)info->replays, "run_twice",
	                              (json_int_t)info->backups, "steals", (json_int_t)info->steals, "speed_changes",
	                              (json_int_t)info->drifts));
	json_object_set_new(object, "busiest_link",
	                    info->busiest_link == NULL
	                            ? json_null()
	                            : json_pack("{ss sf}", "name", info->busiest_link, "use", info->busiest_link_use));
	return tool_json_print(object);
}

/* A calibration that was named and says nothing is no detour to be silent about. */
static void note_calibrations(const tool_options *options, const hy_sched_cluster *cluster,
                              const hy_sched_simulation_info *info)
{
	for (uint32_t t = 0; t < cluster->type_count; t++) {
		const hy_sched_cluster_type *type = &cluster->types[t];
		for (uint32_t d = 0; type->calibration != NULL && d < info->device_count; d++) {
			if (info->devices[d].type != type->name || info->devices[d].measured) continue;
			tool_note(options, "%s: %s has no time of this model on plugin %s: predicted from peak rates",
			          type->name, type->calibration, type->plugin);
			break;
		}
	}
}

/* ---- the command ---- */

static tool_exit simulate(const tool_options *options, const hy_sched_cluster *cluster, const hy_ir_graph *graph,
                          const asked *wishes)
{
	hy_sched_simulation *simulation = NULL;
	hy_error error = {0};
	const hy_status status = hy_sched_simulate(cluster, graph, &wishes->options, &simulation, &error);
	if (status == HY_NO_MEMORY) return tool_report_error(TOOL_EXIT_DOES_NOT_FIT, &error);
	if (status != HY_OK) return tool_report_error(status == HY_INVALID ? TOOL_EXIT_USAGE : TOOL_EXIT_NO, &error);
	const hy_sched_simulation_info *info = hy_sched_simulation_describe(simulation);
	note_calibrations(options, cluster, info);
	const tool_exit code = tool_options_is(options->format, "json") ? print_json(cluster, info)
	                                                                : print_text(cluster, info);
	hy_sched_simulation_destroy(simulation);
	return code;
}

tool_exit tool_cmd_simulate(const tool_options *options)
{
	hy_sched_cluster *cluster = NULL;
	hy_ir_graph *graph = NULL;
	asked wishes = {.names = {NULL}};
	tool_exit code = read_options(options, &wishes);
	if (code == TOOL_EXIT_OK) code = load_cluster(options, &cluster);
	if (code == TOOL_EXIT_OK) code = load_model(options, &graph);
	if (code == TOOL_EXIT_OK) code = simulate(options, cluster, graph, &wishes);
	for (uint32_t i = 0; i < TOOL_LIST_MAX; i++)
		free(wishes.names[i]);
	hy_sched_script_finish(&wishes.script);
	hy_ir_graph_destroy(graph);
	hy_sched_cluster_destroy(cluster);
	return code;
}
