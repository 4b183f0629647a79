/* Measuring kernels on memory of their own. One thread is measured by its own processor time, which other load on the
 * machine does not touch. */
#include "cpu_tune.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIN_RUNS 4 /* the first warms up */
#define MAX_RUNS 30
#define ENOUGH_NS 2e6 /* of measured runs */
#define MAX_ARGUMENTS 16
#define MIN_WORK 5e6 /* multiplications: below, nothing is to be gained */
#define WEIGHT_BYTES_PER_NS 20 /* weights come from main memory in each run of a network */
#define CLEARLY 0.9

typedef struct answer {
	hy_cpu_layer layer;
	bool is_faster;
} answer;

struct hy_cpu_tune {
	clockid_t clock;
	hy_cpu_choice winograd;
	uint32_t count, room;
	answer *answers;
};

hy_cpu_tune *hy_cpu_tune_create(uint32_t thread_count, hy_cpu_choice winograd)
{
	hy_cpu_tune *tune = calloc(1, sizeof(*tune));
	if (tune == NULL) return NULL;
	tune->clock = thread_count == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
	tune->winograd = winograd;
	return tune;
}

void hy_cpu_tune_destroy(hy_cpu_tune *tune)
{
	if (tune != NULL) free(tune->answers);
	free(tune);
}

static double now_ns(const hy_cpu_tune *tune)
{
	struct timespec time = {0};
	(void)clock_gettime(tune->clock, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Nanoseconds of the fastest run, or a negative number. */
static double measure(const hy_cpu_tune *tune, hy_cpu_prim *prim)
{
	void *at[MAX_ARGUMENTS] = {NULL};
	const uint32_t count = hy_cpu_prim_argument_count(prim);
	double best = -1, total = 0;
	bool is_ready = true;
	for (uint32_t i = 0; i <= count; i++) {
		const uint64_t bytes = i < count ? hy_cpu_prim_bytes(prim, i) : hy_cpu_prim_scratch_bytes(prim);
		at[i] = aligned_alloc(64, (bytes + 64) / 64 * 64);
		is_ready = is_ready && at[i] != NULL;
		if (at[i] != NULL) memset(at[i], 0, bytes);
	}
	for (uint32_t run = 0; is_ready && run < MAX_RUNS && (run < MIN_RUNS || total < ENOUGH_NS); run++) {
		const double begin = now_ns(tune);
		is_ready = hy_cpu_prim_run(prim, at, NULL) == HY_OK;
		const double time = now_ns(tune) - begin;
		if (run == 0) continue;
		total += time;
		if (best < 0 || time < best) best = time;
	}
	for (uint32_t i = 0; i <= count; i++)
		free(at[i]);
	return is_ready ? best : -1;
}

static bool is_candidate(const hy_cpu_tune *tune, const hy_cpu_layer *layer)
{
	const hy_cpu_window *w = &layer->window;
	double work = 1;
	if (tune->winograd == HY_CPU_NEVER) return false;
	if (layer->kind != HY_CPU_CONV || w->rank != 2 || layer->weights.rank != 4) return false;
	for (uint32_t i = 0; i < 2; i++) {
		if (w->kernel[i] != 3 || w->stride[i] != 1 || w->dilation[i] != 1) return false;
	}
	/* What Winograd's kernels can do behind themselves. */
	for (uint32_t i = 0; i < layer->post_count; i++) {
		const hy_cpu_post *post = &layer->posts[i];
		if (i > 0 || post->kind != HY_CPU_POST_CURVE || post->curve != HY_CPU_CURVE_RELU || post->alpha != 0)
			return false;
	}
	for (uint32_t i = 0; i < 4; i++)
		work *= (double)layer->weights.dim[i] * (i > 1 ? (double)layer->dst.dim[i] : 1);
	return tune->winograd == HY_CPU_ALWAYS || work * (double)layer->dst.dim[0] >= MIN_WORK;
}

static bool compare(const hy_cpu_tune *tune, hy_cpu_dnnl *dnnl, const hy_cpu_layer *layer, hy_cpu_prim *direct)
{
	hy_cpu_layer other = *layer;
	hy_cpu_prim *prims[3] = {NULL};
	double time = 0;
	bool is_faster = false;
	other.is_winograd = true;
	other.src.any = true;
	other.dst.any = true;
	const uint32_t dst = layer->bias.rank > 0 ? 3 : 2;
	if (hy_cpu_dnnl_layer(dnnl, &other, &prims[0], NULL) != HY_OK) goto done;
	if (hy_cpu_prim_is_reference(prims[0])) goto done;
	is_faster = tune->winograd == HY_CPU_ALWAYS;
	if (is_faster) goto done;
	if (hy_cpu_prim_packer(prims[0], 0, &layer->src, &prims[1], NULL) != HY_OK) goto done;
	if (hy_cpu_prim_unpacker(prims[0], dst, &layer->dst, &prims[2], NULL) != HY_OK) goto done;
	for (uint32_t i = 0; i < 3; i++) {
		const double part = measure(tune, prims[i]);
		if (part < 0) goto done;
		time += part;
	}
	const double more_bytes = (double)hy_cpu_prim_bytes(prims[0], 1) - (double)hy_cpu_prim_bytes(direct, 1);
	is_faster = time + more_bytes / WEIGHT_BYTES_PER_NS < CLEARLY * measure(tune, direct);
done:
	for (uint32_t i = 0; i < 3; i++)
		hy_cpu_prim_destroy(prims[i]);
	return is_faster;
}

bool hy_cpu_tune_winograd(hy_cpu_tune *tune, hy_cpu_dnnl *dnnl, const hy_cpu_layer *layer, hy_cpu_prim *direct)
{
	if (!is_candidate(tune, layer)) return false;
	for (uint32_t i = 0; i < tune->count; i++) {
		if (memcmp(&tune->answers[i].layer, layer, sizeof(*layer)) == 0) return tune->answers[i].is_faster;
	}
	const bool is_faster = compare(tune, dnnl, layer, direct);
	if (tune->count == tune->room) {
		const uint32_t room = 2 * tune->room + 16;
		answer *grown = realloc(tune->answers, room * sizeof(*grown));
		if (grown == NULL) return is_faster;
		tune->answers = grown;
		tune->room = room;
	}
	answer *kept = &tune->answers[tune->count++];
	memcpy(&kept->layer, layer, sizeof(*layer));
	kept->is_faster = is_faster;
	return is_faster;
}
