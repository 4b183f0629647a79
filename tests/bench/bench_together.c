/* How much of a mixed machine the scheduler keeps at work. Each device alone, all of them in loops of their own, and
 * together, in turns in one run, so that all see the same noise; every answer is compared with the evaluator's.
 *
 *   bench_together CASE MODEL.onnx [--seconds S] [--rounds R]
 *
 * CASE pair   cpu on core 0, opencl on core 1
 *      four   four devices of the plugin cpu on two cores, working 45, 15, 35 and 25 % of the time
 *      slow   cpu on core 0 at a third of its speed in the middle third of S seconds, opencl on core 1
 *      gone   the same device lost in the middle third, and back for the last
 *      busy   cpu on each of two cores: processor time that is not the plugin's, per device
 *
 * Prints one JSON line. S (60) is the time together, in all rounds. "of_solo" is the rate together over the sum of
 * rates alone, "of_loops" over the sum of rates in loops of their own at the same time: memory that is shared makes the
 * former unattainable on some machines. Medians of rounds. Exits 1 when an answer was lost or wrong. */
#include "load.h"
#include "throttle.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 4, MOST_ROUNDS = 99 };

typedef struct party {
	const char *selector;
	hy_sched_plan *plan;
	hy_sched_session *session;
} party;

typedef struct bench {
	const char *name;
	double seconds;
	uint32_t rounds, count;
	load_model model;
	hy_hal_machine *machine;
	party alone[MOST], together;
	hy_hal_device *opened; /* of the plugin throttle, for its extension */
	const hy_ext_throttle *throttle;
	bool bad; /* something was lost or wrong */
	hy_sched_stats stats;
} bench;

static const struct {
	const char *name;
	uint32_t count;
	const char *selectors[MOST];
} cases[] = {
	{"pair", 2, {"cpu:0?cores=0", "opencl:0?cores=1"}},
	{"four",
         4,
         {"throttle:0?cores=0&duty=0.45", "throttle:1?cores=0&duty=0.15", "throttle:2?cores=1&duty=0.35",
          "throttle:3?cores=1&duty=0.25"}},
	{"slow", 2, {"throttle:0?cores=0", "opencl:0?cores=1"}},
	{"gone", 2, {"throttle:0?cores=0", "opencl:0?cores=1"}},
	{"busy", 2, {"throttle:0?cores=0", "throttle:1?cores=1"}},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

/* ---- parties ---- */

static hy_status party_open(const bench *b, party *p, hy_sched_strategy strategy, hy_error *error)
{
	const hy_sched_options options = {.size = sizeof(options), .devices = p->selector, .strategy = strategy};
	hy_status status = hy_sched_plan_create(b->machine, b->model.graph, &options, &p->plan, error);
	if (status == HY_OK) status = hy_sched_session_create(p->plan, &p->session, error);
	return status;
}

static void party_close(party *p)
{
	hy_sched_session_destroy(p->session);
	hy_sched_plan_destroy(p->plan);
}

static hy_status open_throttle(bench *b, hy_error *error)
{
	for (uint32_t d = 0; d < hy_hal_machine_device_count(b->machine); d++) {
		if (strcmp(hy_hal_machine_device(b->machine, d)->id, "throttle:0") != 0) continue;
		const hy_status status = hy_hal_device_open(b->machine, d, NULL, 0, &b->opened, error);
		if (status != HY_OK) return status;
		b->throttle = hy_hal_device_extension(b->opened, HY_EXT_THROTTLE, 1);
	}
	if (b->throttle != NULL) return HY_OK;
	return hy_error_set(error, HY_NOT_FOUND, "the plugin throttle was not found");
}

static hy_status bench_open(bench *b, uint32_t which, const char *path, hy_error *error)
{
	static char all[512];
	const hy_hal_machine_options options = {.size = sizeof(options),
	                                        .manifest_path = HY_BINARY_DIR "/bench/plugins.d:" HY_BINARY_DIR
	                                                                       "/lib/halyard/plugins.d"};
	hy_status status = load_model_open(path, &b->model, error);
	if (status == HY_OK) status = hy_hal_machine_open(&options, &b->machine, error);
	if (status == HY_OK) status = open_throttle(b, error);
	b->count = cases[which].count;
	for (uint32_t i = 0; i < b->count && status == HY_OK; i++) {
		b->alone[i].selector = cases[which].selectors[i];
		status = party_open(b, &b->alone[i], HY_SCHED_SINGLE, error);
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i > 0 ? "," : "", b->alone[i].selector);
	}
	b->together.selector = all;
	if (status == HY_OK) status = party_open(b, &b->together, HY_SCHED_REPLICAS, error);
	return status;
}

static void bench_close(bench *b)
{
	party_close(&b->together);
	for (uint32_t i = 0; i < b->count; i++)
		party_close(&b->alone[i]);
	hy_hal_device_close(b->opened);
	hy_hal_machine_close(b->machine);
	load_model_close(&b->model);
}

/* ---- measuring ---- */

/* Answers per second. */
static hy_status rate_of(bench *b, const party *p, double seconds, double *out_rate, hy_error *error)
{
	load_result result;
	const hy_status status = load_run(&b->model, p->session, seconds, &result, error);
	if (status != HY_OK) return status;
	*out_rate = result.seconds > 0 ? (double)result.right / result.seconds : 0;
	if (result.wrong == 0 && result.failed == 0 && result.asked == result.right) return HY_OK;
	b->bad = true;
	fprintf(stderr, "bench_together: %s: %llu asked, %llu right, %llu wrong, %llu failed: %s\n", p->selector,
	        (unsigned long long)result.asked, (unsigned long long)result.right, (unsigned long long)result.wrong,
	        (unsigned long long)result.failed, result.error.text);
	return HY_OK;
}

typedef struct looping {
	bench *bench;
	const party *party;
	double seconds, rate;
	hy_status status;
	hy_error error;
} looping;

static void *loop(void *payload)
{
	looping *l = payload;
	l->status = rate_of(l->bench, l->party, l->seconds, &l->rate, &l->error);
	return NULL;
}

/* Each device in a loop of its own, at the same time. */
static hy_status rates_in_loops(bench *b, double seconds, double rates[MOST], hy_error *error)
{
	looping loops[MOST];
	pthread_t threads[MOST];
	uint32_t started = 0;
	for (; started < b->count; started++) {
		loops[started] = (looping){.bench = b, .party = &b->alone[started], .seconds = seconds};
		if (pthread_create(&threads[started], NULL, loop, &loops[started]) != 0) break;
	}
	hy_status status = started == b->count ? HY_OK : hy_error_set(error, HY_NO_MEMORY, "cannot start a thread");
	for (uint32_t i = 0; i < started; i++) {
		pthread_join(threads[i], NULL);
		rates[i] = loops[i].rate;
		if (status == HY_OK && loops[i].status != HY_OK) {
			status = loops[i].status;
			*error = loops[i].error;
		}
	}
	return status;
}

static int by_size(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

static double median(uint32_t count, const double *numbers)
{
	double sorted[MOST_ROUNDS];
	memcpy(sorted, numbers, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_size);
	return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static double sum(uint32_t count, const double *numbers)
{
	double all = 0;
	for (uint32_t i = 0; i < count; i++)
		all += numbers[i];
	return all;
}

static void print_rates(const bench *b, const char *key, const double *rates)
{
	printf("\"%s\": [", key);
	for (uint32_t i = 0; i < b->count; i++)
		printf("%s%.3f", i > 0 ? ", " : "", rates[i]);
	printf("], ");
}

/* Shares of the devices in what was done together; of the last round. */
static void print_head(bench *b)
{
	hy_sched_session_stats(b->together.session, &b->stats);
	printf("{\"bench\": \"together\", \"case\": \"%s\", \"seconds\": %g, \"devices\": [", b->name, b->seconds);
	for (uint32_t i = 0; i < b->stats.device_count; i++)
		printf("%s{\"id\": \"%s\", \"share\": %.4f, \"busy\": %.4f, \"state\": \"%s\", \"losses\": %llu, "
		       "\"overdue\": %llu}",
		       i > 0 ? ", " : "", b->stats.devices[i].id, b->stats.devices[i].share, b->stats.devices[i].busy,
		       b->stats.devices[i].state, (unsigned long long)b->stats.devices[i].losses,
		       (unsigned long long)b->stats.devices[i].overdue);
	printf("], ");
}

/* ---- the cases ---- */

static hy_status measure_steady(bench *b, hy_error *error)
{
	double solo[MOST][MOST_ROUNDS], loops[MOST_ROUNDS], both[MOST_ROUNDS], of_solo[MOST_ROUNDS],
		of_loops[MOST_ROUNDS], medians[MOST];
	const double each = b->seconds / b->rounds;
	hy_status status = HY_OK;
	for (uint32_t r = 0; r < b->rounds && status == HY_OK; r++) {
		double alone[MOST], rates[MOST];
		for (uint32_t i = 0; i < b->count && status == HY_OK; i++)
			status = rate_of(b, &b->alone[i], each / 3, &alone[i], error);
		if (status == HY_OK) status = rates_in_loops(b, each / 3, rates, error);
		hy_sched_session_reset_stats(b->together.session);
		if (status == HY_OK) status = rate_of(b, &b->together, each, &both[r], error);
		if (status != HY_OK) return status;
		for (uint32_t i = 0; i < b->count; i++)
			solo[i][r] = alone[i];
		loops[r] = sum(b->count, rates);
		of_solo[r] = both[r] / sum(b->count, alone);
		of_loops[r] = both[r] / loops[r];
	}
	for (uint32_t i = 0; i < b->count; i++)
		medians[i] = median(b->rounds, solo[i]);
	print_head(b);
	print_rates(b, "solo_per_s", medians);
	printf("\"loops_per_s\": %.3f, \"together_per_s\": %.3f, \"of_solo\": %.4f, \"of_loops\": %.4f}\n",
	       median(b->rounds, loops), median(b->rounds, both), median(b->rounds, of_solo),
	       median(b->rounds, of_loops));
	return status;
}

typedef struct disturbed {
	bench *bench;
	bool gone;
	uint64_t answers[3]; /* of each third */
} disturbed;

static void sleep_s(double seconds)
{
	const struct timespec time = {.tv_sec = (time_t)seconds,
	                              .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
	nanosleep(&time, NULL);
}

static void disturb(const bench *b, bool gone, bool on)
{
	if (gone)
		b->throttle->set_gone(0, on);
	else
		b->throttle->set_speed(0, on ? 1.0 / 3 : 1);
}

static void *play(void *payload)
{
	disturbed *d = payload;
	uint64_t before = load_answers();
	for (int third = 0; third < 3; third++) {
		disturb(d->bench, d->gone, third == 1);
		sleep_s(d->bench->seconds / 3);
		const uint64_t now = load_answers();
		d->answers[third] = now - before;
		before = now;
	}
	return NULL;
}

/* What was available: each third's rates in loops of their own (or alone), measured before and after. */
static hy_status measure_disturbed(bench *b, bool gone, hy_error *error)
{
	double loops[2][MOST] = {{0}}, solo[2][MOST] = {{0}}, loops_ratio[2], seconds = b->seconds / 6;
	double available_loops = 0, available_solo = 0, rate = 0;
	hy_status status = HY_OK;
	for (int pass = 0; pass < 2 && status == HY_OK; pass++) { /* around the run */
		for (int slow = 0; slow < 2 && status == HY_OK; slow++) {
			double rates[MOST] = {0}, alone[MOST] = {0};
			const bool away = slow == 1 && gone; /* then only the others are there */
			if (!away) disturb(b, gone, slow == 1);
			for (uint32_t i = away ? 1 : 0; i < b->count && status == HY_OK; i++)
				status = rate_of(b, &b->alone[i], seconds / 3, &alone[i], error);
			if (away)
				memcpy(rates, alone, sizeof(rates));
			else if (status == HY_OK)
				status = rates_in_loops(b, seconds / 3, rates, error);
			disturb(b, gone, false);
			for (uint32_t i = 0; i < b->count; i++) {
				loops[slow][i] += rates[i] / 2;
				solo[slow][i] += alone[i] / 2;
			}
		}
		if (pass == 1 || status != HY_OK) break;
		disturbed d = {.bench = b, .gone = gone};
		hy_sched_session_reset_stats(b->together.session);
		pthread_t thread;
		if (pthread_create(&thread, NULL, play, &d) != 0)
			return hy_error_set(error, HY_NO_MEMORY, "cannot start a thread");
		status = rate_of(b, &b->together, b->seconds, &rate, error);
		pthread_join(thread, NULL);
		print_head(b);
		printf("\"thirds_per_s\": [%.3f, %.3f, %.3f], ", 3 * (double)d.answers[0] / b->seconds,
		       3 * (double)d.answers[1] / b->seconds, 3 * (double)d.answers[2] / b->seconds);
	}
	if (status != HY_OK) return status;
	for (int slow = 0; slow < 2; slow++) {
		loops_ratio[slow] = sum(b->count, loops[slow]);
		available_loops += loops_ratio[slow] * (slow ? 1 : 2) / 3;
		available_solo += sum(b->count, solo[slow]) * (slow ? 1 : 2) / 3;
	}
	print_rates(b, "solo_per_s", solo[0]);
	print_rates(b, "disturbed_solo_per_s", solo[1]);
	printf("\"together_per_s\": %.3f, \"of_solo\": %.4f, \"of_loops\": %.4f}\n", rate, rate / available_solo,
	       rate / available_loops);
	return status;
}

static double process_cpu_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* All processor time of the process, less what the plugin computed: the scheduler, the HAL, the plugin's own handing over
 * and this program's comparing of answers. */
static hy_status measure_busy(bench *b, hy_error *error)
{
	double rate;
	uint64_t inside = 0;
	for (uint32_t i = 0; i < b->count; i++)
		inside -= b->throttle->work_ns(i);
	hy_sched_session_reset_stats(b->together.session);
	const double cpu = process_cpu_ns();
	const uint64_t wall = hy_hal_now_ns();
	const hy_status status = rate_of(b, &b->together, b->seconds, &rate, error);
	if (status != HY_OK) return status;
	const double wall_ns = (double)(hy_hal_now_ns() - wall), cpu_ns = process_cpu_ns() - cpu;
	for (uint32_t i = 0; i < b->count; i++)
		inside += b->throttle->work_ns(i);
	print_head(b);
	printf("\"together_per_s\": %.3f, \"outside_per_device\": %.5f, \"outside_us_per_request\": %.2f}\n", rate,
	       (cpu_ns - (double)inside) / wall_ns / b->count,
	       (cpu_ns - (double)inside) / 1e3 / (rate * wall_ns / 1e9));
	return status;
}

static int usage(void)
{
	fprintf(stderr, "usage: bench_together pair|four|slow|gone|busy MODEL.onnx [--seconds S] [--rounds R]\n");
	return 64;
}

int main(int argc, char **argv)
{
	bench b = {.seconds = 60, .rounds = 5};
	hy_error error = {0};
	uint32_t which = 0;
	if (argc < 3) return usage();
	while (which < CASES && strcmp(cases[which].name, argv[1]) != 0)
		which++;
	for (int i = 3; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--seconds") == 0) b.seconds = strtod(argv[i + 1], NULL);
		if (strcmp(argv[i], "--rounds") == 0) b.rounds = (uint32_t)strtoul(argv[i + 1], NULL, 10);
	}
	if (which == CASES || argc % 2 == 0 || !(b.seconds > 0) || b.rounds < 1 || b.rounds > MOST_ROUNDS)
		return usage();
	b.name = argv[1];
	hy_status status = bench_open(&b, which, argv[2], &error);
	if (status == HY_OK) {
		if (strcmp(b.name, "slow") == 0 || strcmp(b.name, "gone") == 0)
			status = measure_disturbed(&b, strcmp(b.name, "gone") == 0, &error);
		else
			status = strcmp(b.name, "busy") == 0 ? measure_busy(&b, &error) : measure_steady(&b, &error);
	}
	bench_close(&b);
	if (status == HY_OK) return b.bad ? 1 : 0;
	fprintf(stderr, "bench_together: %s\n", error.text);
	return status == HY_NOT_FOUND ? 77 : 1;
}
