/* Splitting one request, against enumeration. */
#include "test.h"

#include "spatial.h"

#include <stdlib.h>
#include <string.h>

static hy_error error;
static uint32_t seed;

static uint32_t below(uint32_t limit)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % limit;
}

/* ---- heights ---- */

static double last_done(uint32_t count, const double *ns_per_row, const int64_t *rows)
{
	double most = 0;
	for (uint32_t d = 0; d < count; d++)
		if ((double)rows[d] * ns_per_row[d] > most) most = (double)rows[d] * ns_per_row[d];
	return most;
}

static void rows_go_to_devices_so_that_the_last_is_done_earliest(void **state)
{
	(void)state;
	for (seed = 1; seed < 200; seed += 7) {
		const int64_t height = 1 + below(40);
		const double ns[] = {1 + below(9), 1 + below(9), 1 + below(30)};
		int64_t rows[3];
		hy_sched__spatial_heights(height, 3, ns, rows);
		assert_int_equal(rows[0] + rows[1] + rows[2], height);
		double best = 1e300;
		for (int64_t a = 0; a <= height; a++)
			for (int64_t b = 0; a + b <= height; b++) {
				const double done = last_done(3, ns, (int64_t[]){a, b, height - a - b});
				if (done < best) best = done;
			}
		assert_true(last_done(3, ns, rows) <= best + 1e-9);
	}
}

/* ---- chains of 3x3 convolutions, one row of padding ---- */

enum { MOST_NODES = 6 };

typedef struct chain {
	hy_sched__layers layers;
	hy_sched__layer_node nodes[MOST_NODES];
	hy_sched__layer_edge edges[MOST_NODES];
	hy_sched__layer_value values[MOST_NODES + 1];
	uint32_t outputs[MOST_NODES];
	uint64_t ns[2][MOST_NODES];
	const uint64_t *node_ns[2];
	hy_sched__link links[2];
	hy_sched__spatial_problem problem;
} chain;

static void chain_init(chain *c, uint32_t count, int64_t height, uint64_t latency_ns, double ns_per_byte)
{
	memset(c, 0, sizeof(*c));
	for (uint32_t n = 0; n < count; n++) {
		const hy_sched__layer_node node = {true, n, 1, n, 1};
		const hy_sched__layer_edge edge = {n, {.stride = 1, .before = 1, .after = 2}};
		c->nodes[n] = node;
		c->edges[n] = edge;
		c->outputs[n] = n + 1;
		c->ns[0][n] = c->ns[1][n] = (1 + below(20)) * 100 * (uint64_t)height;
	}
	for (uint32_t v = 0; v <= count; v++) {
		const hy_sched__layer_value value = {v == 0 ? HY_IR_NONE : v - 1, v, v, height, 10 + below(90)};
		c->values[v] = value;
	}
	const hy_sched__layers layers = {count, count + 1, count, count, c->nodes, c->edges, c->outputs, c->values};
	const hy_sched__link link = {latency_ns, ns_per_byte};
	c->layers = layers;
	c->node_ns[0] = c->ns[0];
	c->node_ns[1] = c->ns[1];
	c->links[0] = c->links[1] = link;
	const hy_sched__spatial_problem problem = {
		.layers = &c->layers, .device_count = 2, .node_ns = c->node_ns, .to = c->links, .from = c->links};
	c->problem = problem;
}

static double link_ns(const chain *c, double bytes)
{
	return (double)c->links[0].latency_ns + bytes * c->links[0].ns_per_byte;
}

/* Two equal devices, even height, both strips all the way, a group ends after node n where bit n of ends is set. */
static double time_of(const chain *c, uint32_t ends)
{
	const uint32_t count = c->layers.node_count;
	const double half = (double)c->values[0].height / 2;
	double ns = 0;
	for (uint32_t first = 0, last; first < count; first = last + 1) {
		for (last = first; last + 1 < count && (ends >> last & 1) == 0;)
			last++;
		const double halo = last - first + 1;
		const double rows_in = first == 0 ? half + halo : halo;
		const double in = rows_in * c->values[first].row_bytes;
		ns += link_ns(c, in) + (first > 0 ? link_ns(c, halo * c->values[first].row_bytes) : 0);
		for (uint32_t n = first; n <= last; n++)
			ns += (double)c->ns[0][n] / (2 * half) * (half + last - n);
	}
	return ns + link_ns(c, half * c->values[count].row_bytes);
}

static void groups_are_the_best_of_all_groups(void **state)
{
	(void)state;
	uint32_t split_count = 0;
	for (uint32_t run = 0; run < 200; run++) {
		seed = run * 7919 + 1;
		const uint32_t count = 2 + below(MOST_NODES - 1);
		chain c;
		chain_init(&c, count, 24, 10 + below(20000), below(40));
		double best = 1e300;
		for (uint32_t ends = 0; ends < 1u << (count - 1); ends++)
			if (time_of(&c, ends) < best) best = time_of(&c, ends);
		hy_sched__spatial split;
		EXPECT_OK(hy_sched__spatial_split(&c.problem, 2, &split, &error));
		/* Better is possible: a part on one device alone. */
		assert_true((double)split.item_ns <= best + 1);
		bool all_split = true;
		for (uint32_t g = 0; g < split.group_count; g++)
			all_split &= split.groups[g].split;
		if (all_split) assert_true((double)split.item_ns >= best - 1);
		split_count += all_split ? 1 : 0;
		hy_sched__spatial_finish(&split);
	}
	assert_true(split_count > 50);
}

static void a_plan_is_never_slower_than_the_best_device(void **state)
{
	(void)state;
	for (uint32_t run = 0; run < 200; run++) {
		seed = run * 104729 + 1;
		chain c;
		chain_init(&c, 4, 1 + below(40), below(1000000), below(1000));
		for (uint32_t n = 0; n < 4; n++)
			c.ns[1][n] *= 1 + below(20);
		c.nodes[1 + below(3)].local = false;
		hy_sched__spatial split;
		EXPECT_OK(hy_sched__spatial_plan(&c.problem, &split, &error));
		assert_true(split.item_ns <= split.alone_ns);
		uint32_t next = 0;
		for (uint32_t g = 0; g < split.group_count; g++) {
			assert_int_equal(split.groups[g].first, next);
			next += split.groups[g].count;
		}
		assert_int_equal(next, 4);
		hy_sched__spatial_finish(&split);
	}
}

static void what_no_device_runs_alone_is_not_split(void **state)
{
	(void)state;
	chain c;
	chain_init(&c, 3, 8, 10, 1);
	c.nodes[2].local = false;
	c.ns[0][2] = c.ns[1][2] = HY_SCHED__NEVER;
	hy_sched__spatial split;
	EXPECT_OK(hy_sched__spatial_plan(&c.problem, &split, &error));
	assert_true(split.item_ns == HY_SCHED__NEVER);
	hy_sched__spatial_finish(&split);
}

static void chunks_of_ten_with_a_halo_of_two_save_two_fifths(void **state)
{
	(void)state;
	const hy_sched__chunk half = hy_sched__spatial_chunk(16, 8, 10, 2), none = hy_sched__spatial_chunk(8, 8, 10, 2);
	assert_true(half.bytes_saved > 0.3999 && half.bytes_saved < 0.4001);
	assert_true(none.bytes_saved < 0 && none.compute_ratio < 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(rows_go_to_devices_so_that_the_last_is_done_earliest),
		CASE(groups_are_the_best_of_all_groups),
		CASE(a_plan_is_never_slower_than_the_best_device),
		CASE(what_no_device_runs_alone_is_not_split),
		CASE(chunks_of_ten_with_a_halo_of_two_save_two_fifths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
