/* The performance run: rows, one worker each; the report's object and the scheduler's file of costs. */
#include "perf.h"

#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KIB 1024ull
#define MIB (1024ull * KIB)
#define COPIES(kind)                                                                                        \
	{"4 B", kind, 4, 0, NULL, NULL, NULL}, {"4 KiB", kind, 4 * KIB, 0, NULL, NULL, NULL},               \
		{"64 KiB", kind, 64 * KIB, 0, NULL, NULL, NULL}, {"1 MiB", kind, MIB, 0, NULL, NULL, NULL}, \
		{"16 MiB", kind, 16 * MIB, 0, NULL, NULL, NULL},                                            \
	{                                                                                                   \
		"64 MiB", kind, 64 * MIB, 0, NULL, NULL, NULL                                               \
	}

static const perf_row rows[] = {
	{"submit", PERF_SUBMIT, 0, 0, NULL, NULL, NULL},
	{"sync", PERF_SYNC, 0, 0, NULL, NULL, NULL},
	COPIES(PERF_TO),
	COPIES(PERF_FROM),
	COPIES(PERF_WITHIN),
	{"MatMul 128x128x128", PERF_GEMM, 0, 2.0 * 128 * 128 * 128, "MatMul", "f32[128,128] f32[128,128]", ""},
	{"MatMul 512x512x512", PERF_GEMM, 0, 2.0 * 512 * 512 * 512, "MatMul", "f32[512,512] f32[512,512]", ""},
	{"MatMul 1x1024x1024", PERF_GEMM, 0, 2.0 * 1024 * 1024, "MatMul", "f32[1,1024] f32[1024,1024]", ""},
	{"Conv 3x3, 64 to 64, 28x28", PERF_CONV, 0, 2.0 * 64 * 64 * 9 * 28 * 28, "Conv",
         "f32[1,64,28,28] f32[64,64,3,3]", "kernel_shape=3,3 pads=1,1,1,1"},
	{"Conv 1x1, 256 to 256, 14x14", PERF_CONV, 0, 2.0 * 256 * 256 * 14 * 14, "Conv",
         "f32[1,256,14,14] f32[256,256,1,1]", "kernel_shape=1,1"},
	{"Conv 3x3 depthwise, 128, 28x28", PERF_CONV, 0, 2.0 * 128 * 9 * 28 * 28, "Conv",
         "f32[1,128,28,28] f32[128,1,3,3]", "kernel_shape=3,3 pads=1,1,1,1 group=128"},
	{"Add, 256 Ki elements", PERF_ELEMENTWISE, 3 * MIB, 0, "Add", "f32[262144] f32[262144]", ""},
	{"Add, 4 Mi elements", PERF_ELEMENTWISE, 48 * MIB, 0, "Add", "f32[4194304] f32[4194304]", ""},
	{"MatMul 512x512x512", PERF_COMPILE, 0, 0, "MatMul", "f32[512,512] f32[512,512]", ""},
	{"Conv 3x3, 64 to 64, 28x28", PERF_COMPILE, 0, 0, "Conv", "f32[1,64,28,28] f32[64,64,3,3]",
         "kernel_shape=3,3 pads=1,1,1,1"},
};

const perf_row *conform__perf_rows(uint32_t *out_count)
{
	*out_count = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

/* ---- the report's object ---- */

static const char *full_name(const perf_row *row, char *text, size_t length)
{
	static const char *const directions[] = {[PERF_TO] = "H2D ", [PERF_FROM] = "D2H ", [PERF_WITHIN] = "D2D "};
	const bool is_copy = row->kind >= PERF_TO && row->kind <= PERF_WITHIN;
	snprintf(text, length, "%s%s",
	         is_copy                     ? directions[row->kind]
	         : row->kind == PERF_COMPILE ? "compile "
	                                     : "",
	         row->name);
	return text;
}

static json_t *list_of(json_t *perf, const char *name)
{
	json_t *list = json_object_get(perf, name);
	if (list != NULL) return list;
	list = json_array();
	json_object_set_new(perf, name, list);
	return list;
}

static json_t *points_of(json_t *perf, const char *direction)
{
	json_t *list = list_of(perf, "bandwidth"), *item;
	size_t i;
	json_array_foreach(list, i, item)
	{
		if (strcmp(conform__record_get(item, "direction"), direction) == 0)
			return json_object_get(item, "points");
	}
	json_t *points = json_array();
	json_array_append_new(list, json_pack("{s:s, s:o}", "direction", direction, "points", points));
	return points;
}

static void add_row(json_t *perf, const perf_row *row, const worker_measurement *m)
{
	const double per_ns = m->median_ns > 0 ? 1e9 / m->median_ns : 0;
	switch (row->kind) {
	case PERF_SUBMIT:
	case PERF_SYNC:
		json_array_append_new(list_of(perf, "latency"),
		                      json_pack("{s:s, s:f, s:f, s:i}", "name", row->name, "p50_ns", m->median_ns,
		                                "p99_ns", m->p99_ns, "samples", (int)m->samples));
		break;
	case PERF_TO:
	case PERF_FROM:
	case PERF_WITHIN:
		json_array_append_new(points_of(perf, row->kind == PERF_TO     ? "H2D"
		                                      : row->kind == PERF_FROM ? "D2H"
		                                                               : "D2D"),
		                      json_pack("{s:I, s:f}", "bytes", (json_int_t)row->bytes, "bytes_per_s",
		                                (double)row->bytes * per_ns));
		break;
	case PERF_COMPILE:
		json_array_append_new(list_of(perf, "compile"),
		                      json_pack("{s:s, s:i, s:f}", "name", row->name, "nodes", 1, "ns", m->median_ns));
		break;
	case PERF_GEMM:
	case PERF_CONV:
		json_array_append_new(list_of(perf, "rates"),
		                      json_pack("{s:s, s:s, s:s, s:f, s:s}", "name", row->name, "kind",
		                                row->kind == PERF_GEMM ? "gemm" : "conv", "dtype", "f32", "per_s",
		                                row->operations * per_ns, "unit", "flop/s"));
		break;
	case PERF_ELEMENTWISE:
		json_array_append_new(list_of(perf, "rates"),
		                      json_pack("{s:s, s:s, s:s, s:f, s:s}", "name", row->name, "kind", "elementwise",
		                                "dtype", "f32", "per_s", (double)row->bytes * per_ns, "unit", "B/s"));
		break;
	}
	char name[96];
	if (m->noisy) json_array_append_new(list_of(perf, "noisy"), json_string(full_name(row, name, sizeof(name))));
}

/* ---- the scheduler's file (scheduler/src/cost_file.c: "halyard.costs/v1") ---- */

static json_t *key_of(const worker_description *who)
{
	char host[65] = ""; /* as the scheduler names this machine */
	if (gethostname(host, sizeof(host) - 1) != 0) host[0] = '\0';
	return json_pack("{s:o, s:o, s:o, s:s, s:o}", "plugin", conform__record_text(who->plugin_name), "device",
	                 conform__record_text(who->device.name), "driver", conform__record_text(who->device.driver),
	                 "options", "", "host", conform__record_text(host));
}

/* latency + bytes * slope by least squares, weighted so that the small ones count. */
static json_t *link_line(const worker_description *who, perf_kind kind, const worker_measurement *measured)
{
	double weights = 0, sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].kind != kind || measured[i].samples == 0) continue;
		const double x = (double)rows[i].bytes, y = measured[i].median_ns, w = 1 / (y + 1);
		weights += w;
		sum_x += w * x;
		sum_y += w * y;
		sum_xx += w * x * x;
		sum_xy += w * x * y;
	}
	if (weights == 0) return NULL;
	const double spread = weights * sum_xx - sum_x * sum_x;
	double slope = spread > 0 ? (weights * sum_xy - sum_x * sum_y) / spread : 0;
	if (slope < 0) slope = 0;
	double latency = (sum_y - slope * sum_x) / weights;
	if (latency < 0) {
		latency = 0;
		slope = sum_xx > 0 ? sum_xy / sum_xx : 0;
	}
	json_t *line = key_of(who);
	json_object_set_new(line, "link", json_string(kind == PERF_TO ? "to" : "from"));
	json_object_set_new(line, "latency_ns", json_integer((json_int_t)latency));
	json_object_set_new(line, "ns_per_byte", json_real(slope));
	return line;
}

static json_t *program_line(const worker_description *who, const worker_measurement *m)
{
	char model[17];
	json_t *line = key_of(who);
	snprintf(model, sizeof(model), "%016llx", (unsigned long long)m->model);
	json_object_set_new(line, "model", json_string(model));
	json_object_update_new(line, json_pack("{s:I, s:I, s:i, s:i, s:i, s:I, s:I, s:[I]}", "median_ns",
	                                       (json_int_t)m->median_ns, "mad_ns", (json_int_t)m->deviation_ns,
	                                       "samples", (int)m->samples, "launches", (int)m->launches,
	                                       "reference_launches", (int)m->reference_launches, "constant_bytes",
	                                       (json_int_t)m->constant_bytes, "workspace_bytes",
	                                       (json_int_t)m->workspace_bytes, "node_ns", (json_int_t)m->median_ns));
	return line;
}

static void put_line(FILE *file, json_t *take_line)
{
	if (take_line == NULL) return;
	json_dumpf(take_line, file, 0);
	fputc('\n', file);
	json_decref(take_line);
}

static hy_status write_costs(const char *path, const worker_description *who, const worker_measurement *measured,
                             hy_error *error)
{
	FILE *file = fopen(path, "we");
	if (file == NULL) return hy_error_set(error, HY_NOT_FOUND, "%s can't be written: %s", path, strerror(errno));
	fputs("{\"schema\": \"halyard.costs/v1\"}\n", file);
	put_line(file, link_line(who, PERF_TO, measured));
	put_line(file, link_line(who, PERF_FROM, measured));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (measured[i].model != 0 && measured[i].samples > 0) put_line(file, program_line(who, &measured[i]));
	if (fclose(file) != 0) return hy_error_set(error, HY_NOT_FOUND, "%s can't be written", path);
	return HY_OK;
}

/* ---- the run ---- */

hy_status conform__perf_run(supervisor *worker, const hy_conform_options *options,
                            const worker_description *description, json_t **out_record, hy_error *error)
{
	static worker_measurement measured[sizeof(rows) / sizeof(rows[0])];
	static supervisor_result result;
	json_t *perf = json_object();
	memset(measured, 0, sizeof(measured));
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char id[16], name[96];
		snprintf(id, sizeof(id), WORKER_MEASURE "%u", i);
		const conform_case order = {.info = {.id = id}, .seconds = 120, .alone = true};
		conform__supervisor_run(worker, &order, &result);
		const bool is_measured = result.record_kind == WORKER_MEASUREMENT;
		if (result.status == HY_CONFORM_PASS && is_measured) {
			measured[i] = result.record.measurement;
			add_row(perf, &rows[i], &measured[i]);
		} else if (result.status != HY_CONFORM_NOT_SUPPORTED) {
			json_array_append_new(list_of(perf, "findings"),
			                      json_pack("{s:s, s:s, s:o}", "name",
			                                full_name(&rows[i], name, sizeof(name)), "status",
			                                hy_conform_status_name(result.status), "text",
			                                conform__record_text(result.text)));
		}
	}
	*out_record = json_pack("{s:s, s:o}", "record", "perf", "perf", perf);
	return options->costs == NULL ? HY_OK : write_costs(options->costs, description, measured, error);
}
