/* Cuts of a line of tasks, by dynamic programming over (border, devices used per type): the least time of the slowest
 * stage. Its last row knows the best stream of each set of devices; streams side by side are then a knapsack. */
#include "pipeline.h"

#include "cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BORDERS = 256, LEAST_BORDERS = 16, MOST_STATES = 512, MOST_SETS = 1 << 16 };
#define MOST_STEPS 1e7

/* How a stage ends at a border: where it began, and on which type. */
typedef struct choice {
	uint16_t from, type;
} choice;

typedef struct value_span {
	uint32_t first, last; /* places of its task and of the last that needs it */
	uint64_t bytes;
} value_span;

typedef struct line {
	const hy_sched__pipeline_problem *problem;
	const hy_sched__task_graph *graph;
	uint32_t *order, *place; /* place: of each task */
	uint32_t *model, *count, *limit; /* per type: a device of it, how many, how many in one stream */
	uint32_t *digit; /* per type: weight of its count in a state */
	uint32_t state_count, border_count; /* borders 0..border_count */
	uint32_t *border; /* places */
	double *before_ns; /* rows of types per place: tasks before it; INFINITY once one can't */
	uint32_t *refusals; /* the same, number of tasks that the type can't run */
	uint64_t *before_bytes; /* memory */
	value_span *spans; /* per value */
	uint64_t *in, *out; /* bytes of a stage between two borders */
	double *best_ns; /* rows of states per border */
	choice *choices;
} line;

void hy_sched__pipelines_finish(hy_sched__pipelines *pipelines)
{
	free(pipelines->stream_first);
	free(pipelines->stream_ns);
	free(pipelines->stages);
	free(pipelines->order);
	memset(pipelines, 0, sizeof(*pipelines));
}

/* ---- the line ---- */

static void find_types(line *l)
{
	const uint32_t types = l->problem->type_count;
	for (uint32_t d = 0; d < l->graph->device_count; d++) {
		l->model[l->problem->type[d]] = d;
		l->limit[l->problem->type[d]] = ++l->count[l->problem->type[d]];
	}
	/* The type with most devices gives one away, the slowest of those first, until the states are few. */
	for (;;) {
		double states = 1;
		uint32_t give = 0;
		for (uint32_t t = 0; t < types; t++) {
			states *= l->limit[t] + 1.0;
			const double all = l->before_ns[(size_t)t * (l->graph->task_count + 1) + l->graph->task_count];
			const double
				other = l->before_ns[(size_t)give * (l->graph->task_count + 1) + l->graph->task_count];
			if (l->limit[t] > l->limit[give] || (l->limit[t] == l->limit[give] && all > other)) give = t;
		}
		if (states <= MOST_STATES) break;
		l->limit[give]--;
	}
	l->state_count = 1;
	for (uint32_t t = 0; t < types; t++) {
		l->digit[t] = l->state_count;
		l->state_count *= l->limit[t] + 1;
	}
}

static void sum_up(line *l)
{
	const hy_sched__task_graph *graph = l->graph;
	const uint32_t tasks = graph->task_count;
	for (uint32_t t = 0; t < l->problem->type_count; t++) {
		double *before = l->before_ns + (size_t)t * (tasks + 1);
		uint32_t *refusals = l->refusals + (size_t)t * (tasks + 1);
		for (uint32_t i = 0; i < tasks; i++) {
			const double ns = graph->time_ns[(size_t)l->order[i] * graph->device_count + l->model[t]];
			before[i + 1] = before[i] + (isfinite(ns) ? ns : 0);
			refusals[i + 1] = refusals[i] + (isfinite(ns) ? 0 : 1);
		}
	}
	for (uint32_t i = 0; i < tasks; i++)
		l->before_bytes[i + 1] = l->before_bytes[i] + graph->memory_bytes[l->order[i]];
	for (uint32_t e = 0; e < graph->edge_count; e++) {
		const hy_sched__edge *edge = &graph->edges[e];
		value_span *span = &l->spans[edge->value];
		span->first = l->place[edge->from];
		span->bytes = edge->bytes;
		if (l->place[edge->to] > span->last) span->last = l->place[edge->to];
	}
}

/* All places, or the one with the fewest bytes across it in each of `most` stretches of equal work. */
static void find_borders(line *l, uint32_t most, uint64_t *across)
{
	const uint32_t tasks = l->graph->task_count;
	l->border_count = 0;
	if (tasks <= most) {
		for (uint32_t i = 0; i <= tasks; i++)
			l->border[i] = i;
		l->border_count = tasks;
		return;
	}
	memset(across, 0, ((size_t)tasks + 1) * sizeof(*across));
	for (uint32_t v = 0; v < l->graph->value_count; v++)
		for (uint32_t i = l->spans[v].first + 1; i <= l->spans[v].last; i++)
			across[i] += l->spans[v].bytes;
	const double whole = l->before_ns[tasks];
	uint32_t at = 1;
	l->border[0] = 0;
	for (uint32_t s = 1; s < most; s++) {
		uint32_t best = 0;
		for (; at < tasks && (l->before_ns[at] <= whole * s / (most - 1) || best == 0); at++)
			if (best == 0 || across[at] <= across[best]) best = at;
		if (best == 0) break;
		l->border[++l->border_count] = best;
	}
	l->border[++l->border_count] = tasks;
}

static uint32_t most_borders(const line *l)
{
	const double most = sqrt(2 * MOST_STEPS / ((double)l->problem->type_count * l->state_count));
	if (most > MOST_BORDERS) return MOST_BORDERS;
	return most < LEAST_BORDERS ? LEAST_BORDERS : (uint32_t)most;
}

/* What crosses the borders of each stage: values that come in once, and values that somebody behind needs. */
static void find_crossings(line *l, uint64_t *leaving, uint32_t *seen)
{
	const hy_sched__task_graph *graph = l->graph;
	const uint32_t width = l->border_count + 1;
	for (uint32_t a = 0; a < l->border_count; a++) {
		uint64_t in = 0, out = 0;
		memset(leaving, 0, ((size_t)graph->task_count + 1) * sizeof(*leaving));
		uint32_t next = a + 1;
		for (uint32_t i = l->border[a]; i < graph->task_count; i++) {
			const uint32_t task = l->order[i];
			if (l->problem->in_bytes != NULL) in += l->problem->in_bytes[task];
			if (l->problem->out_bytes != NULL) out += l->problem->out_bytes[task];
			for (uint32_t k = graph->in_first[task]; k < graph->in_first[task + 1]; k++) {
				const hy_sched__edge *edge = &graph->edges[graph->in[k]];
				if (l->spans[edge->value].first >= l->border[a] || seen[edge->value] == a + 1) continue;
				seen[edge->value] = a + 1;
				in += edge->bytes;
			}
			for (uint32_t e = graph->out_first[task]; e < graph->out_first[task + 1]; e++) {
				const uint32_t value = graph->edges[e].value;
				if (seen[value] == a + 1) continue;
				seen[value] = a + 1;
				out += graph->edges[e].bytes;
				leaving[l->spans[value].last] += graph->edges[e].bytes;
			}
			out -= leaving[i];
			if (i + 1 != l->border[next]) continue;
			l->in[(size_t)a * width + next] = in;
			l->out[(size_t)a * width + next] = out;
			next++;
		}
	}
}

/* ---- the program ---- */

static double stage_ns(const line *l, uint32_t from, uint32_t to, uint32_t type)
{
	const uint32_t first = l->border[from], end = l->border[to];
	const size_t row = (size_t)type * (l->graph->task_count + 1), at = (size_t)from * (l->border_count + 1) + to;
	const uint64_t capacity = l->graph->capacity_bytes[l->model[type]];
	if (l->refusals[row + end] > l->refusals[row + first]) return INFINITY;
	if (capacity > 0) {
		const double values = (double)l->problem->depth * ((double)l->in[at] + (double)l->out[at]);
		if ((double)(l->before_bytes[end] - l->before_bytes[first]) + values > (double)capacity)
			return INFINITY;
	}
	double ns = l->before_ns[row + end] - l->before_ns[row + first];
	if (l->problem->to != NULL) ns += (double)hy_sched__cost_link_ns(&l->problem->to[type], l->in[at]);
	if (l->problem->from != NULL) ns += (double)hy_sched__cost_link_ns(&l->problem->from[type], l->out[at]);
	return ns;
}

/* Ends a stage of one more device of the type at border `to`. */
static void extend(line *l, uint32_t from, uint32_t to, uint32_t type, double ns)
{
	const uint32_t weight = l->digit[type], period = weight * (l->limit[type] + 1);
	const double *source = l->best_ns + (size_t)from * l->state_count;
	double *target = l->best_ns + (size_t)to * l->state_count;
	choice *choices = l->choices + (size_t)to * l->state_count;
	const choice how = {(uint16_t)from, (uint16_t)type};
	for (uint32_t high = 0; high < l->state_count; high += period)
		for (uint32_t s = high + weight; s < high + period; s++) {
			const double slowest = source[s - weight] > ns ? source[s - weight] : ns;
			if (slowest >= target[s]) continue;
			target[s] = slowest;
			choices[s] = how;
		}
}

static void solve(line *l)
{
	for (size_t i = 0; i < ((size_t)l->border_count + 1) * l->state_count; i++)
		l->best_ns[i] = INFINITY;
	l->best_ns[0] = 0;
	for (uint32_t to = 1; to <= l->border_count; to++)
		for (uint32_t from = to; from-- > 0;)
			for (uint32_t type = 0; type < l->problem->type_count; type++) {
				const double ns = stage_ns(l, from, to, type);
				if (isfinite(ns) && l->limit[type] > 0) extend(l, from, to, type, ns);
			}
}

/* ---- streams ---- */

static uint32_t used(const line *l, uint32_t state, uint32_t type)
{
	return state / l->digit[type] % (l->limit[type] + 1);
}

/* Writes the stages of the best stream of that state, on the next devices of each type, from `left` down. */
static void add_stream(const line *l, uint32_t state, uint32_t *left, hy_sched__pipelines *out)
{
	const uint32_t begin = out->stream_first[out->stream_count];
	uint32_t end = begin, at = l->border_count;
	out->stream_ns[out->stream_count] = l->best_ns[(size_t)at * l->state_count + state];
	for (; at > 0; end++) {
		const choice how = l->choices[(size_t)at * l->state_count + state];
		uint32_t device = 0, skip = --left[how.type];
		while (l->problem->type[device] != how.type || skip-- > 0)
			device++;
		const hy_sched__segment stage = {l->border[how.from], l->border[at] - l->border[how.from], device};
		out->stages[end] = stage;
		state -= l->digit[how.type];
		at = how.from;
	}
	for (uint32_t a = begin, b = end; a + 1 < b; a++) {
		const hy_sched__segment swap = out->stages[a];
		out->stages[a] = out->stages[--b];
		out->stages[b] = swap;
	}
	out->stream_first[++out->stream_count] = end;
}

static void add_best(const line *l, uint32_t *left, hy_sched__pipelines *out)
{
	const double *last = l->best_ns + (size_t)l->border_count * l->state_count;
	uint32_t best = 0;
	for (uint32_t s = 1; s < l->state_count; s++)
		if (last[s] < last[best]) best = s;
	if (isfinite(last[best])) add_stream(l, best, left, out);
}

static bool fits(const line *l, uint32_t state, const uint32_t *left)
{
	for (uint32_t t = 0; t < l->problem->type_count; t++)
		if (used(l, state, t) > left[t]) return false;
	return true;
}

/* A set of devices is a number too, each type with its full count. */
static void devices_of(const line *l, uint32_t set, uint32_t *count)
{
	for (uint32_t t = 0; t < l->problem->type_count; t++) {
		count[t] = set % (l->count[t] + 1);
		set /= l->count[t] + 1;
	}
}

/* The state that uses those devices for one stream, or UINT32_MAX when a stream takes fewer. */
static uint32_t state_of(const line *l, const uint32_t *count)
{
	uint32_t state = 0;
	for (uint32_t t = 0; t < l->problem->type_count; t++) {
		if (count[t] > l->limit[t]) return UINT32_MAX;
		state += count[t] * l->digit[t];
	}
	return state;
}

/* A stream that is faster than all streams together that its devices could make instead. */
typedef struct item {
	uint32_t state, set;
} item;

/* Knapsack: the best rate of each set of devices, smaller ones first, and the first stream in it. */
static hy_status add_groups_exact(const line *l, uint32_t sets, uint32_t *left, hy_sched__pipelines *out,
                                  hy_error *error)
{
	const double *last = l->best_ns + (size_t)l->border_count * l->state_count;
	double *rate = calloc(sets, sizeof(*rate));
	uint32_t *first = calloc(sets, sizeof(*first)), *count = malloc(l->problem->type_count * sizeof(*count));
	item *items = malloc(l->state_count * sizeof(*items));
	uint32_t item_count = 0;
	hy_status status = HY_OK;
	if (!rate || !first || !items || !count) {
		status = hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
		goto done;
	}
	for (uint32_t set = 1; set < sets; set++) {
		devices_of(l, set, count);
		for (uint32_t i = 0; i < item_count; i++) {
			if (!fits(l, items[i].state, count)) continue;
			const double sum = 1 / last[items[i].state] + rate[set - items[i].set];
			if (sum <= rate[set]) continue;
			rate[set] = sum;
			first[set] = i;
		}
		const uint32_t state = state_of(l, count);
		if (state == UINT32_MAX || !isfinite(last[state]) || 1 / last[state] <= rate[set]) continue;
		const item fresh = {state, set};
		rate[set] = 1 / last[state];
		first[set] = item_count;
		items[item_count++] = fresh;
	}
	for (uint32_t set = sets - 1; rate[set] > 0; set -= items[first[set]].set)
		add_stream(l, items[first[set]].state, left, out);
done:
	free(rate);
	free(first);
	free(items);
	free(count);
	return status;
}

/* Too many sets: again and again the stream with the best rate per device that is left. */
static void add_groups_greedily(const line *l, uint32_t *left, hy_sched__pipelines *out)
{
	const double *last = l->best_ns + (size_t)l->border_count * l->state_count;
	for (;;) {
		uint32_t best = 0;
		double most = 0;
		for (uint32_t s = 1; s < l->state_count; s++) {
			uint32_t devices = 0;
			for (uint32_t t = 0; t < l->problem->type_count; t++)
				devices += used(l, s, t);
			if (!isfinite(last[s]) || 1 / last[s] / devices <= most || !fits(l, s, left)) continue;
			most = 1 / last[s] / devices;
			best = s;
		}
		if (best == 0) return;
		add_stream(l, best, left, out);
	}
}

/* Devices of types that streams had to leave out run all of it, where they can. */
static void add_left_over(const line *l, uint32_t *left, hy_sched__pipelines *out)
{
	for (uint32_t t = 0; t < l->problem->type_count; t++) {
		const double ns = stage_ns(l, 0, l->border_count, t);
		for (uint32_t device = 0; device < l->graph->device_count && l->limit[t] == 0; device++) {
			if (l->problem->type[device] != t || !isfinite(ns) || left[t] == 0) continue;
			left[t]--;
			const uint32_t end = out->stream_first[out->stream_count];
			const hy_sched__segment stage = {0, l->graph->task_count, device};
			out->stages[end] = stage;
			out->stream_ns[out->stream_count] = ns;
			out->stream_first[++out->stream_count] = end + 1;
		}
	}
}

static hy_status add_groups(const line *l, uint32_t *left, hy_sched__pipelines *out, hy_error *error)
{
	double sets = 1;
	for (uint32_t t = 0; t < l->problem->type_count; t++)
		sets *= l->count[t] + 1.0;
	hy_status status = HY_OK;
	if (sets <= MOST_SETS)
		status = add_groups_exact(l, (uint32_t)sets, left, out, error);
	else
		add_groups_greedily(l, left, out);
	if (status == HY_OK) add_left_over(l, left, out);
	return status;
}

/* ---- all of it ---- */

static void line_finish(line *l)
{
	free(l->order);
	free(l->place);
	free(l->model);
	free(l->border);
	free(l->before_ns);
	free(l->refusals);
	free(l->before_bytes);
	free(l->spans);
	free(l->in);
	free(l->out);
	free(l->best_ns);
	free(l->choices);
}

static hy_status line_init(line *l, const uint32_t *order, hy_error *error)
{
	const uint32_t tasks = l->graph->task_count, types = l->problem->type_count;
	const size_t squares = ((size_t)MOST_BORDERS + 1) * (MOST_BORDERS + 1);
	l->order = malloc(tasks * sizeof(uint32_t));
	l->place = malloc(tasks * sizeof(uint32_t));
	l->model = calloc(4 * (size_t)types, sizeof(uint32_t));
	l->border = malloc(((size_t)MOST_BORDERS + 1) * sizeof(uint32_t));
	l->before_ns = calloc(((size_t)tasks + 1) * types, sizeof(double));
	l->refusals = calloc(((size_t)tasks + 1) * types, sizeof(uint32_t));
	l->before_bytes = calloc((size_t)tasks + 1, sizeof(uint64_t));
	l->spans = calloc((size_t)l->graph->value_count + 1, sizeof(value_span));
	l->in = malloc(squares * sizeof(uint64_t));
	l->out = malloc(squares * sizeof(uint64_t));
	uint64_t *scratch = malloc(((size_t)tasks + 1) * sizeof(uint64_t));
	uint32_t *seen = calloc((size_t)l->graph->value_count + 1, sizeof(uint32_t));
	hy_status status = hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	if (!l->order || !l->place || !l->model || !l->border || !l->before_ns || !l->refusals || !l->before_bytes ||
	    !l->spans || !l->in || !l->out || !scratch || !seen)
		goto done;
	l->count = l->model + types;
	l->limit = l->count + types;
	l->digit = l->limit + types;
	for (uint32_t i = 0; i < tasks; i++)
		l->order[i] = order != NULL ? order[i] : i;
	for (uint32_t i = 0; i < tasks; i++)
		l->place[l->order[i]] = i;
	for (uint32_t d = 0; d < l->graph->device_count; d++)
		l->model[l->problem->type[d]] = d;
	sum_up(l);
	find_types(l);
	find_borders(l, most_borders(l), scratch);
	find_crossings(l, scratch, seen);
	l->best_ns = malloc(((size_t)l->border_count + 1) * l->state_count * sizeof(double));
	l->choices = malloc(((size_t)l->border_count + 1) * l->state_count * sizeof(choice));
	if (l->best_ns != NULL && l->choices != NULL) status = HY_OK;
done:
	free(scratch);
	free(seen);
	return status;
}

static hy_status out_init(const line *l, hy_sched__pipelines *out, hy_error *error)
{
	const uint32_t devices = l->graph->device_count;
	out->stream_first = calloc((size_t)devices + 1, sizeof(uint32_t));
	out->stream_ns = calloc(devices, sizeof(double));
	out->stages = calloc(devices, sizeof(hy_sched__segment));
	out->order = malloc(l->graph->task_count * sizeof(uint32_t));
	if (!out->stream_first || !out->stream_ns || !out->stages || !out->order)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	memcpy(out->order, l->order, l->graph->task_count * sizeof(uint32_t));
	return HY_OK;
}

hy_status hy_sched__pipeline_cut(const hy_sched__pipeline_problem *problem, hy_sched__pipeline_shape shape,
                                 const uint32_t *order, hy_sched__pipelines *out_pipelines, hy_error *error)
{
	line l = {.problem = problem, .graph = problem->graph};
	hy_sched__pipelines out = {0};
	uint32_t *left = malloc(problem->type_count * sizeof(*left));
	hy_status status = left != NULL ? line_init(&l, order, error)
	                                : hy_error_set(error, HY_NO_MEMORY, "no memory for planning");
	if (status == HY_OK) status = out_init(&l, &out, error);
	if (status != HY_OK) goto done;
	solve(&l);
	memcpy(left, l.count, problem->type_count * sizeof(*left));
	if (shape == HY_SCHED__PIPELINE_ONE)
		add_best(&l, left, &out);
	else
		status = add_groups(&l, left, &out, error);
	if (status != HY_OK) goto done;
	double rate = 0;
	for (uint32_t s = 0; s < out.stream_count; s++)
		rate += 1 / out.stream_ns[s];
	out.item_ns = rate > 0 ? 1 / rate : INFINITY;
	*out_pipelines = out;
	memset(&out, 0, sizeof(out));
done:
	hy_sched__pipelines_finish(&out);
	line_finish(&l);
	free(left);
	return status;
}
