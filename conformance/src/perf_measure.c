/* Measurements in a worker. Answers are read back and checked between the samples, inputs come twice in a row, and the
 * same program is measured with other weights: a device that remembers or skips shows. */
#include "perf.h"

#include "process.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { SAMPLES_LEAST = 12, SAMPLES_MOST = 400, WARM_UPS = 3 };
#define SECONDS_LEAST 0.5
#define SECONDS_MOST 8.0
#define NOISY 0.05 /* variation that is told */
#define REMEMBERED 0.9 /* of the time that another input, or other weights, take */
#define PEAK_SLACK 1.05

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

perf_statistics conform__perf_summarise(uint32_t count, double *samples)
{
	perf_statistics out = {0};
	if (count == 0) return out;
	qsort(samples, count, sizeof(*samples), compare);
	out.median = (samples[(count - 1) / 2] + samples[count / 2]) / 2;
	out.p99 = samples[(count * 99 - 1) / 100];
	const uint32_t first = count / 20, last = count - first;
	double sum = 0, squares = 0;
	for (uint32_t i = first; i < last; i++) {
		sum += samples[i];
		squares += samples[i] * samples[i];
	}
	const double mean = sum / (last - first), variance = squares / (last - first) - mean * mean;
	out.variation = mean > 0 && variance > 0 ? sqrt(variance) / mean : 0;
	for (uint32_t i = 0; i < count; i++)
		samples[i] = fabs(samples[i] - out.median);
	qsort(samples, count, sizeof(*samples), compare);
	out.deviation = (samples[(count - 1) / 2] + samples[count / 2]) / 2;
	return out;
}

/* ---- samples ---- */

typedef struct sampler {
	uint32_t count;
	double samples[SAMPLES_MOST];
	uint64_t begin_ns;
} sampler;

static bool wants_more(const sampler *s)
{
	const double seconds = (double)(conform__process_now_ns() - s->begin_ns) * 1e-9;
	if (s->count == SAMPLES_MOST || (seconds > SECONDS_MOST && s->count >= 3)) return false;
	return s->count < SAMPLES_LEAST || seconds < SECONDS_LEAST;
}

static void settle(sampler *s, worker_measurement *out)
{
	out->samples = s->count;
	const perf_statistics found = conform__perf_summarise(s->count, s->samples);
	out->median_ns = found.median;
	out->deviation_ns = found.deviation;
	out->p99_ns = found.p99;
	out->noisy = found.variation > NOISY;
}

/* Submits, waits, and says how long each took; false ends the case. */
static bool time_batch(conform_run *run, hy_queue *queue, uint32_t count, const hy_command *commands,
                       double *out_submit_ns, double *out_total_ns)
{
	const hy_batch batch = {.size = sizeof(batch),
	                        .command_count = count,
	                        .command_stride = sizeof(hy_command),
	                        .commands = commands};
	const uint64_t ticket = conform__ticket_new(run);
	if (ticket == 0) return false;
	const uint64_t begin = conform__process_now_ns();
	const hy_status status = run->table.submit(queue, &batch, ticket);
	const uint64_t submitted = conform__process_now_ns();
	if (status != HY_OK) {
		conform__fail(run, "submit answered %s", hy_status_name(status));
		return false;
	}
	if (!conform__ticket_wait(run, ticket, 60)) return false;
	*out_total_ns = (double)(conform__process_now_ns() - begin);
	*out_submit_ns = (double)(submitted - begin);
	const hy_status ended = conform__ticket_read(run, ticket).done.status;
	if (ended != HY_OK) conform__fail(run, "a batch ended %s", hy_status_name(ended));
	return ended == HY_OK;
}

/* ---- batches without work, and copies ---- */

static void measure_batch(conform_run *run, hy_queue *queue, const perf_row *row, uint32_t count,
                          const hy_command *commands, worker_measurement *out)
{
	static sampler s;
	double submit_ns, total_ns;
	s = (sampler){0};
	for (int i = 0; i < WARM_UPS; i++)
		if (!time_batch(run, queue, count, commands, &submit_ns, &total_ns)) return;
	for (s.begin_ns = conform__process_now_ns(); wants_more(&s); s.count++) {
		if (!time_batch(run, queue, count, commands, &submit_ns, &total_ns)) return;
		s.samples[s.count] = row->kind == PERF_SUBMIT ? submit_ns : total_ns;
	}
	settle(&s, out);
}

static void measure_copy(conform_run *run, hy_queue *queue, const perf_row *row, worker_measurement *out)
{
	conform_memory a, b;
	unsigned char *there = malloc(row->bytes), *back = calloc(1, row->bytes);
	if (there == NULL || back == NULL) {
		conform__end(run, HY_CONFORM_RESOURCE, "no memory for %llu bytes", (unsigned long long)row->bytes);
		return;
	}
	for (uint64_t i = 0; i < row->bytes; i++)
		there[i] = (unsigned char)(i * 167 + i / 251);
	if (!conform__memory_create(run, queue, row->bytes, 0, &a) || !conform__memory_write(run, queue, &a, there))
		return;
	if (!conform__memory_create(run, queue, row->bytes, 0, &b)) return;
	const hy_ref from = conform__ref(a.buffer, a.offset, a.length), to = conform__ref(b.buffer, b.offset, b.length);
	const hy_command command = row->kind == PERF_TO     ? conform__copy(to, conform__host_ref(there, row->bytes))
	                           : row->kind == PERF_FROM ? conform__copy(conform__host_ref(back, row->bytes), from)
	                                                    : conform__copy(to, from);
	measure_batch(run, queue, row, 1, &command, out);
	CONTINUE(run);
	if (row->kind != PERF_FROM && !conform__memory_read(run, queue, &b, back)) return;
	REQUIRE(run, memcmp(there, back, row->bytes) == 0, "what was copied while it was timed is not what was sent");
	conform__memory_destroy(run, &a);
	conform__memory_destroy(run, &b);
	free(there);
	free(back);
}

/* ---- programs ---- */

/* A program of one node with constant weights, two inputs to run it on, and what each must give. */
typedef struct subject {
	op_spec specs[2];
	tensor outputs[2][TENSOR_OUTPUTS];
	program program;
	conform_memory inputs[2][TENSOR_INPUTS], result, workspace;
	hy_ref bindings[2][TENSOR_INPUTS + 1];
	uint32_t live; /* run-time inputs */
} subject;

static bool has_weights(const perf_row *row)
{
	return row->kind != PERF_ELEMENTWISE;
}

/* Two sets of inputs for the same weights. */
static bool fill(conform_run *run, const perf_row *row, subject *s)
{
	for (int i = 0; i < 2; i++) {
		op_spec *spec = &s->specs[i];
		if (!op_spec_read(spec, row->op, row->inputs, row->attrs)) return false;
		conform__program_fill(run, spec, INTEGERS);
		if (!has_weights(row)) continue;
		spec->inputs[1].constant = true;
		if (i == 1)
			memcpy(spec->inputs[1].value, s->specs[0].inputs[1].value,
			       (size_t)spec->inputs[1].count * sizeof(double));
	}
	return oracle_run(&s->specs[0], s->outputs[0]) == 1 && oracle_run(&s->specs[1], s->outputs[1]) == 1;
}

static bool compile(conform_run *run, const perf_row *row, subject *s)
{
	uint32_t reason;
	if (!fill(run, row, s)) {
		conform__end(run, HY_CONFORM_HARNESS_ERROR, "the row %s is wrong", row->name);
		return false;
	}
	if (!conform__program_graph(run, &s->specs[0], 1, s->outputs[0], &s->program)) return false;
	if (!conform__program_query(run, &s->program, &reason)) {
		conform__not_supported(run, "query says NO (reason %u)", reason);
		return false;
	}
	return conform__program_compile(run, &s->program);
}

static bool place(conform_run *run, hy_queue *queue, subject *s)
{
	const uint64_t length = tensor_bytes(&s->outputs[0][0]);
	if (!conform__memory_create(run, queue, length, 0, &s->result)) return false;
	for (int i = 0; i < 2; i++) {
		s->live = 0;
		for (uint32_t k = 0; k < s->specs[i].input_count; k++) {
			const tensor *t = &s->specs[i].inputs[k];
			if (!t->present || t->constant) continue;
			conform_memory *memory = &s->inputs[i][s->live];
			void *bytes = malloc(tensor_bytes(t) + 8);
			tensor_pack(t, bytes);
			const bool there = conform__memory_create(run, queue, tensor_bytes(t), 0, memory) &&
			                   conform__memory_write(run, queue, memory, bytes);
			free(bytes);
			if (!there) return false;
			s->bindings[i][s->live++] = conform__ref(memory->buffer, memory->offset, memory->length);
		}
		s->bindings[i][s->live] = conform__ref(s->result.buffer, s->result.offset, length);
	}
	return s->program.info.workspace_bytes == 0 ||
	       conform__memory_create(run, queue, s->program.info.workspace_bytes, 0, &s->workspace);
}

/* One run on input `which`; checked: the answer is read and compared, on memory that was cleared before. */
static bool run_once(conform_run *run, hy_queue *queue, subject *s, int which, bool checked, double *out_ns)
{
	double submit_ns;
	hy_command command = {.kind = HY_COMMAND_EXEC,
	                      .exe = s->program.exe,
	                      .binding_count = s->live + 1,
	                      .bindings = s->bindings[which]};
	command.workspace = conform__ref(s->workspace.buffer, s->workspace.offset, s->workspace.length);
	const hy_command clear = conform__fill(s->bindings[which][s->live], CONFORM_POISON);
	if (checked && !conform__submit(run, queue, 1, &clear)) return false;
	if (!time_batch(run, queue, 1, &command, &submit_ns, out_ns)) return false;
	if (!checked) return true;
	tensor expected = s->outputs[which][0];
	void *got = calloc(1, tensor_bytes(&expected) + 8);
	expected.arithmetic = s->program.info.flags;
	const bool right = conform__memory_read(run, queue, &s->result, got) &&
	                   conform__compare_in(run, &expected, got, TOLERANCE_EXACT,
	                                       "an answer given while it was timed");
	free(got);
	return right;
}

/* Of two sets of samples that were taken in turns: a difference that noise does not explain. */
static bool takes_less(const sampler *measured, const perf_statistics *less, const perf_statistics *more)
{
	return measured->count > 0 && less->median < REMEMBERED * more->median &&
	       more->median - less->median > 2 * (less->deviation + more->deviation);
}

static perf_statistics summarise(sampler *s)
{
	return conform__perf_summarise(s->count, s->samples);
}

/* Inputs come as A A B B A A ..., programs change after each four: speed must depend on neither. The answers of the first
 * rounds, and then of rarer ones, are checked. */
static void sample(conform_run *run, hy_queue *queue, subject *subjects, uint32_t count, worker_measurement *out)
{
	static sampler all, again, changed, other;
	double ns;
	all = again = changed = other = (sampler){0};
	for (uint32_t i = 0; i < WARM_UPS * count; i++)
		if (!run_once(run, queue, &subjects[i % count], i / count & 1, true, &ns)) return;
	uint32_t turn = 0;
	for (all.begin_ns = conform__process_now_ns(); wants_more(&all) && again.count < SAMPLES_MOST; turn++) {
		const uint32_t which = (turn >> 2) % count;
		const bool checked = turn < 8 || (turn & (turn + 1)) == 0;
		if (!run_once(run, queue, &subjects[which], turn >> 1 & 1, checked, &ns)) return;
		sampler *order = turn & 1 ? &again : &changed, *weights = which == 0 ? &all : &other;
		if (order->count < SAMPLES_MOST) order->samples[order->count++] = ns;
		if (weights->count < SAMPLES_MOST) weights->samples[weights->count++] = ns;
	}
	settle(&all, out);
	const perf_statistics second = summarise(&again), first = summarise(&changed), with_other = summarise(&other);
	const perf_statistics with_these = {.median = out->median_ns, .deviation = out->deviation_ns};
	REQUIRE(run, !takes_less(&again, &second, &first),
	        "the second run of an input takes %.2f of the first one's time: answers are remembered",
	        second.median / first.median);
	REQUIRE(run, !takes_less(&other, &with_other, &with_these) && !takes_less(&other, &with_these, &with_other),
	        "with other weights a run takes %.2f of the time: speed must not depend on numbers",
	        with_other.median / with_these.median);
}

static void measure_program(conform_run *run, hy_queue *queue, const perf_row *row, worker_measurement *out)
{
	static subject s[2];
	const uint32_t count = has_weights(row) ? 2 : 1;
	memset(s, 0, sizeof(s));
	for (uint32_t i = 0; i < count; i++)
		if (!compile(run, row, &s[i]) || !place(run, queue, &s[i])) return;
	sample(run, queue, s, count, out);
	const program *p = &s[0].program;
	out->launches = p->info.launches;
	out->reference_launches = p->info.reference_launches;
	out->constant_bytes = p->info.constant_bytes;
	out->workspace_bytes = p->info.workspace_bytes;
	out->model = XXH3_64bits(p->blob.graph, p->blob.graph->total_bytes);
}

static void measure_compile(conform_run *run, const perf_row *row, worker_measurement *out)
{
	static subject s;
	static sampler samples;
	s = (subject){0};
	samples = (sampler){0};
	if (!compile(run, row, &s)) return;
	for (samples.begin_ns = conform__process_now_ns(); wants_more(&samples) && samples.count < SAMPLES_LEAST;) {
		program once = s.program;
		const uint64_t begin = conform__process_now_ns();
		if (!conform__program_compile(run, &once)) return;
		samples.samples[samples.count++] = (double)(conform__process_now_ns() - begin);
		run->table.exe_free(once.exe);
	}
	settle(&samples, out);
}

/* More than the device says that it can do is no measurement. */
static void check_peak(conform_run *run, const perf_row *row, const worker_measurement *m)
{
	if (conform__ended(run) || m->samples == 0) return;
	const double bytes_per_s = (double)row->bytes / m->median_ns * 1e9,
		     per_s = row->operations / m->median_ns * 1e9;
	const double memory = (double)run->info.memory_bytes_per_s, flops = (double)run->info.flops_f32;
	const bool on_device = row->kind == PERF_WITHIN || row->kind == PERF_ELEMENTWISE;
	if (on_device && memory > 0 && bytes_per_s > memory * PEAK_SLACK)
		conform__fail(run, "impossible: %.3g bytes/s, and the device says that its peak is %.3g", bytes_per_s,
		              memory);
	if (row->operations > 0 && flops > 0 && per_s > flops * PEAK_SLACK)
		conform__fail(run, "impossible: %.3g operations/s, and the device says that its peak is %.3g", per_s,
		              flops);
}

void conform__perf_measure(conform_run *run, const perf_row *row, worker_measurement *out)
{
	*out = (worker_measurement){0};
	if (!conform__target_ready(run)) return;
	hy_queue *queue = conform__queue_open(run);
	CONTINUE(run);
	switch (row->kind) {
	case PERF_SUBMIT:
	case PERF_SYNC:
		measure_batch(run, queue, row, 0, NULL, out);
		break;
	case PERF_TO:
	case PERF_FROM:
	case PERF_WITHIN:
		measure_copy(run, queue, row, out);
		break;
	case PERF_COMPILE:
		measure_compile(run, row, out);
		break;
	default:
		measure_program(run, queue, row, out);
		break;
	}
	check_peak(run, row, out);
}
