/* How much of a mixed cluster is at work: 36 devices on 16 nodes, speeds 1, 15, 20 and 30 requests per second, in virtual
 * time. A job of requests whose work varies by 20 %, on devices whose calibration is off by 20 %, until the last result.
 * Beside the rules of the run time stand the usual ways to share a job out.
 *
 *     bench_balance [--seeds N] [--json]     prints a table, or one JSON line */
#include "balance_baselines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SEEDS = 100 };

typedef struct row_of_table {
	const char *name;
	double cap, cap_least, dev, least, least_least; /* means over seeds and the worst of them */
} row_of_table;

typedef struct scene_of_table {
	const char *name;
	double seconds; /* the job takes so long when all works all the time */
	uint32_t parts; /* smaller requests: each is cut into so many */
	hy_sched__engine_fault fault;
	double at; /* of the time; 0: no fault */
} scene_of_table;

static const scene_of_table scenes[] = {
	{"20 s", 20, 1, 0, 0},
	{"20 s, a big device halves its speed", 20, 1, HY_SCHED__ENGINE_SPEED, 0.3},
	{"20 s, a big device dies", 20, 1, HY_SCHED__ENGINE_DIES, 0.5},
	{"20 s, a big device joins", 20, 1, HY_SCHED__ENGINE_JOINS, 0.3},
	{"20 s, a big device hangs", 20, 1, HY_SCHED__ENGINE_HANGS, 0.5},
	{"2 s", 2, 1, 0, 0},
	{"20 s, requests half as large", 20, 2, 0, 0},
	{"20 s, requests a tenth as large", 20, 10, 0, 0},
	{"2 s, requests a tenth as large", 2, 10, 0, 0},
};

enum { SCENES = sizeof(scenes) / sizeof(scenes[0]) };

static void fill(balance_case *one, const scene_of_table *scene, uint64_t seed)
{
	double rate = 0;
	*one = (balance_case){.noise = 0.2, .calibration_error = 0.2, .seed = seed, .parts = scene->parts};
	balance_cluster(one);
	for (uint32_t d = 0; d < BALANCE_DEVICES; d++)
		rate += one->speeds[d] * scene->parts;
	one->items = (uint64_t)(rate * scene->seconds + 0.5);
	if (scene->at <= 0) return;
	one->has_fault = true;
	one->fault = (hy_sched__engine_script){.at_ns = (uint64_t)(scene->at * scene->seconds * 1e9),
	                                       .fault = scene->fault,
	                                       .device = BALANCE_BIG,
	                                       .factor = 0.5};
}

static void add(row_of_table *row, const balance_use *use, uint32_t seeds)
{
	row->cap += use->cap / seeds;
	row->dev += use->dev / seeds;
	row->least += use->least / seeds;
	if (row->cap_least == 0 || use->cap < row->cap_least) row->cap_least = use->cap;
	if (row->least_least == 0 || use->least < row->least_least) row->least_least = use->least;
}

static void print_row(const row_of_table *row, bool json, bool first)
{
	if (json)
		printf("%s{\"name\": \"%s\", \"cap\": %.5f, \"cap_worst\": %.5f, \"dev\": %.5f, \"min\": %.5f, "
		       "\"min_worst\": "
		       "%.5f}",
		       first ? "" : ", ", row->name, row->cap, row->cap_least, row->dev, row->least, row->least_least);
	else
		printf("  %-32s %6.2f (%6.2f)   %6.2f   %6.2f (%6.2f)\n", row->name, 100 * row->cap,
		       100 * row->cap_least, 100 * row->dev, 100 * row->least, 100 * row->least_least);
}

static bool print_scene(const scene_of_table *scene, uint32_t seeds, bool json, bool first)
{
	if (json)
		printf("%s{\"scene\": \"%s\", \"rows\": [", first ? "" : ", ", scene->name);
	else
		printf("%s\n  %-32s U_cap (worst)     U_dev    U_min (worst)\n", scene->name, "");
	for (uint32_t p = 0; p < balance_policy_count; p++) {
		row_of_table row = {.name = balance_policies[p].name};
		if (scene->at > 0 && !balance_policies[p].has_faults) continue;
		for (uint64_t seed = 1; seed <= seeds; seed++) {
			balance_case one;
			balance_use use;
			fill(&one, scene, seed);
			if (!balance_policies[p].run(&one, &use)) return false;
			add(&row, &use, seeds);
		}
		print_row(&row, json, p == 0);
	}
	printf(json ? "]}" : "\n");
	return true;
}

int main(int argc, char **argv)
{
	uint32_t seeds = 5;
	bool json = false;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) json = true;
		if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc) seeds = (uint32_t)strtoul(argv[++i], NULL, 10);
	}
	if (seeds == 0 || seeds > MOST_SEEDS) return 2;
	if (json) printf("{\"bench\": \"balance\", \"seeds\": %u, \"scenes\": [", seeds);
	for (uint32_t s = 0; s < SCENES; s++)
		if (!print_scene(&scenes[s], seeds, json, s == 0)) return 1;
	if (json) printf("]}\n");
	return 0;
}
