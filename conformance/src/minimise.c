/* Shrinks a failing case of operators or regions while it fails in the same way: steps, attributes, inputs, dimensions
 * and numbers, each try in a worker of its own. */
#include "minimise.h"

#include "process.h"
#include "supervisor.h"
#include "variant.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { SPOTS = 96, SEEN = 4096, SEARCH_SECONDS = 120, HANG_SECONDS = 2 };

/* What "in the same way" is. */
typedef struct symptom {
	hy_conform_status status;
	int signal, exit_code;
	bool hangs; /* the worker, or a ticket */
	bool numbers; /* elements out of bounds */
	uint32_t arithmetic; /* that the program declares; not of the way it fails */
	char kind[96]; /* the text up to what belongs to the numbers of one case */
} symptom;

typedef struct search {
	const conform_case *item;
	const recipe *base;
	supervisor worker;
	symptom wanted;
	uint32_t outputs, tries, seen_count, seconds;
	double timeout_scale;
	uint64_t deadline_ns, seen[SEEN];
	int64_t floors[HY_MAX_RANK]; /* of the dimensions that indices go to */
	variant best;
	char text[1024]; /* of the last failure */
} search;

/* ---- one try ---- */

static void symptom_of(const supervisor_result *result, symptom *out)
{
	*out = (symptom){.status = result->status,
	                 .signal = result->signal,
	                 .exit_code = result->exit_code,
	                 .hangs = result->hangs || result->status == HY_CONFORM_TIMEOUT};
	if (result->status != HY_CONFORM_FAIL) return;
	out->numbers = result->record_kind == WORKER_DIFFERENCE;
	if (out->numbers) out->arithmetic = result->record.difference.arithmetic;
	size_t used = 0;
	for (const char *c = result->text; !out->numbers && !out->hangs && *c != '\0' && strchr(":(", *c) == NULL; c++)
		if (!isdigit((unsigned char)*c) && used + 1 < sizeof(out->kind)) out->kind[used++] = *c;
}

static bool is_same(const symptom *a, const symptom *b)
{
	return a->status == b->status && a->signal == b->signal && a->exit_code == b->exit_code &&
	       a->numbers == b->numbers && strcmp(a->kind, b->kind) == 0;
}

static void run(search *s, const variant *candidate, symptom *out)
{
	static supervisor_result result;
	char order[VARIANT_LINE + 256];
	char line[VARIANT_LINE];
	conform__variant_print(candidate, line);
	snprintf(order, sizeof(order), "%s\t%.9g\t%s", s->item->info.id, s->timeout_scale, line);
	conform_case item = *s->item;
	item.seconds = s->seconds;
	s->tries++;
	conform__supervisor_order(&s->worker, &item, order, &result);
	conform__supervisor_stop(&s->worker);
	snprintf(s->text, sizeof(s->text), "%.1000s", result.text);
	symptom_of(&result, out);
}

static bool is_seen(search *s, const variant *candidate)
{
	char line[VARIANT_LINE];
	conform__variant_print(candidate, line);
	const uint64_t hash = XXH64(line, strlen(line), 0);
	for (uint32_t i = 0; i < s->seen_count; i++)
		if (s->seen[i] == hash) return true;
	if (s->seen_count < SEEN) s->seen[s->seen_count++] = hash;
	return s->seen_count == SEEN;
}

/* True when the candidate fails as the case does: it is the best then. */
static bool try(search *s, const variant *candidate)
{
	symptom got;
	if (is_seen(s, candidate) || conform__process_now_ns() > s->deadline_ns) return false;
	if (!conform__variant_is_legal(candidate, s->outputs)) return false;
	run(s, candidate, &got);
	if (!is_same(&got, &s->wanted)) return false;
	s->best = *candidate;
	return true;
}

/* ---- parts ---- */

static bool drop_steps(search *s)
{
	bool changed = false;
	for (int i = RECIPE_STEPS; i-- > 0;) {
		variant v = s->best;
		if (v.steps[i][0] == '\0' || (v.anchor[0] == '\0' && v.steps[1][0] == '\0')) continue;
		for (int k = i; k < RECIPE_STEPS; k++) {
			const bool last = k + 1 == RECIPE_STEPS;
			memcpy(v.steps[k], last ? "" : v.steps[k + 1], last ? 1 : sizeof(v.steps[k]));
			memcpy(v.texts[VARIANT_STEPS + k], last ? "" : v.texts[VARIANT_STEPS + k + 1],
			       last ? 1 : VARIANT_TEXT);
		}
		changed |= try(s, &v);
	}
	return changed;
}

/* The word that begins at or after `from`: its bounds in text, false behind the last. */
static bool next_word(const char *text, size_t *from, size_t *out_end)
{
	*from += strspn(text + *from, " ");
	*out_end = *from + strcspn(text + *from, " ");
	return text[*from] != '\0';
}

/* Without one word of the text; a word between others becomes "-" when keep_place. */
static bool drop_words(search *s, int which, uint32_t first, bool keep_place)
{
	bool changed = false, more = true;
	for (uint32_t number = first; more; number++) {
		variant v = s->best;
		char *text = v.texts[which];
		size_t begin = 0, end = 0;
		more = next_word(text, &begin, &end);
		for (uint32_t i = 0; i < number && more; i++) {
			begin = end;
			more = next_word(text, &begin, &end);
		}
		if (!more || text[begin] == '-') continue;
		const char *rest = text + end;
		char changed_text[VARIANT_TEXT];
		snprintf(changed_text, sizeof(changed_text), "%.*s%s%s", (int)begin, text,
		         keep_place && *rest != '\0' ? "-" : "", rest);
		memcpy(text, changed_text, sizeof(changed_text));
		text[strlen(text) - (*text != '\0' && text[strlen(text) - 1] == ' ')] = '\0';
		if (!try(s, &v)) continue;
		changed = true;
		number--; /* the next word has moved here */
	}
	return changed;
}

/* ---- numbers of shapes and attributes ---- */

typedef struct spot {
	int text;
	size_t at, length;
	int64_t value;
	bool is_dim;
	int axis; /* of the first input, or -1 */
} spot;

/* Those of one list, from like.at to `to`. */
static void take_numbers(const char *text, size_t to, spot like, spot *spots, uint32_t *count)
{
	while (like.at < to && *count < SPOTS) {
		char *end;
		like.value = strtoll(text + like.at, &end, 10);
		like.length = (size_t)(end - text) - like.at;
		if (like.length == 0) return;
		spots[(*count)++] = like;
		like.at += like.length + 1;
		if (like.axis >= 0) like.axis++;
	}
}

/* Every whole number that a shape, a constant of whole numbers or an attribute is made of. */
static uint32_t find_spots(const variant *v, spot *spots)
{
	uint32_t count = 0;
	for (int which = 0; which < VARIANT_TEXTS; which++) {
		const char *text = v->texts[which];
		size_t begin = 0, end = 0;
		for (bool first = true; next_word(text, &begin, &end); begin = end, first = false) {
			const size_t open = begin + strcspn(text + begin, which == VARIANT_ATTRS ? "=" : "[{(");
			const size_t close = open + strcspn(text + open, which == VARIANT_ATTRS ? " " : "]})");
			if (open >= end || close > end) continue;
			const bool is_dim = text[open] == '[';
			const spot like = {.text = which,
			                   .at = open + 1,
			                   .is_dim = is_dim,
			                   .axis = first && which == VARIANT_INPUTS && is_dim ? 0 : -1};
			const size_t digits = strspn(text + open + 1, "-0123456789,");
			if (open + 1 + digits < close || (strchr("{(", text[open]) != NULL && text[begin] == 'f'))
				continue;
			take_numbers(text, close, like, spots, &count);
		}
	}
	return count;
}

/* best with the marked spots' numbers replaced. */
static bool try_numbers(search *s, const spot *spots, uint32_t count, const bool *marked, const int64_t *values)
{
	variant v = s->best;
	for (int which = 0; which < VARIANT_TEXTS; which++) {
		const char *text = s->best.texts[which];
		size_t from = 0;
		int used = 0;
		for (uint32_t i = 0; i < count; i++) {
			if (spots[i].text != which || !marked[i]) continue;
			if (spots[i].axis >= 0 && values[i] < s->floors[spots[i].axis]) return false;
			used += snprintf(v.texts[which] + used, VARIANT_TEXT - (size_t)used, "%.*s%lld",
			                 (int)(spots[i].at - from), text + from, (long long)values[i]);
			from = spots[i].at + spots[i].length;
		}
		snprintf(v.texts[which] + used, VARIANT_TEXT - (size_t)used, "%s", text + from);
	}
	return try(s, &v);
}

/* The marked spots, which have equal numbers: least, halved, one less. */
static bool try_group(search *s, const spot *spots, uint32_t count, const bool *marked, int64_t value)
{
	const bool one_is_least = value > 0 && value != 1;
	const int64_t targets[] = {one_is_least ? 1 : 0, value / 2, value - 1};
	int64_t values[SPOTS];
	for (size_t t = 0; t < sizeof(targets) / sizeof(targets[0]); t++) {
		if (targets[t] < 0 || targets[t] >= value) continue;
		bool legal = true;
		for (uint32_t i = 0; i < count; i++) {
			values[i] = targets[t];
			legal = legal && !(marked[i] && spots[i].is_dim && targets[t] < 1);
		}
		if (legal && try_numbers(s, spots, count, marked, values)) return true;
	}
	return false;
}

/* All numbers equal to a and to b halved: channels and groups, sizes before and after a stride. */
static bool try_halves(search *s, const spot *spots, uint32_t count, int64_t a, int64_t b)
{
	bool marked[SPOTS];
	int64_t values[SPOTS];
	for (uint32_t i = 0; i < count; i++) {
		marked[i] = spots[i].value == a || spots[i].value == b;
		values[i] = spots[i].value / 2;
		if (marked[i] && spots[i].is_dim && values[i] < 1) return false;
	}
	return try_numbers(s, spots, count, marked, values);
}

/* One change of numbers that stays, or false when there is none. */
static bool shrink_numbers_once(search *s)
{
	spot spots[SPOTS];
	bool marked[SPOTS];
	const uint32_t count = find_spots(&s->best, spots);
	for (uint32_t i = 0; i < count; i++) { /* groups: all that are equal, the dimensions among them */
		for (int dims_only = 0; dims_only < 2; dims_only++) {
			for (uint32_t k = 0; k < count; k++)
				marked[k] = spots[k].value == spots[i].value && (dims_only == 0 || spots[k].is_dim);
			if (try_group(s, spots, count, marked, spots[i].value)) return true;
		}
	}
	for (uint32_t i = 0; i < count; i++) { /* one number, and pairs of equal ones */
		for (uint32_t k = i; k < count; k++) {
			if (spots[k].value != spots[i].value) continue;
			memset(marked, 0, sizeof(marked));
			marked[i] = marked[k] = true;
			if (try_group(s, spots, count, marked, spots[i].value)) return true;
		}
	}
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t k = i + 1; k < count; k++)
			if (spots[k].value != spots[i].value && spots[i].value > 1 && spots[k].value > 1 &&
			    try_halves(s, spots, count, spots[i].value, spots[k].value))
				return true;
	return false;
}

/* ---- data ---- */

/* Run-time inputs as zeros, or ones; simpler random numbers for the rest. */
static bool simplify_data(search *s)
{
	bool changed = false;
	variant v = s->best;
	v.data = INTEGERS;
	if (s->best.data != INDEX && s->best.data != INTEGERS && s->best.data != TRUTH) changed = try(s, &v);
	for (int which = 0; which < VARIANT_TEXTS; which++) {
		if (which == VARIANT_ATTRS) continue;
		for (size_t at = 0; s->best.texts[which][at] != '\0'; at++) {
			if (s->best.texts[which][at] != ']' || s->best.texts[which][at + 1] == '=') continue;
			for (int value = 0; value < 2; value++) {
				v = s->best;
				const int length = snprintf(v.texts[which], VARIANT_TEXT, "%.*s=%d%s", (int)at + 1,
				                            s->best.texts[which], value, s->best.texts[which] + at + 1);
				if (length >= VARIANT_TEXT || !try(s, &v)) continue;
				changed = true;
				break;
			}
		}
	}
	return changed;
}

/* ---- all of it ---- */

static void set_floors(search *s)
{
	spot spots[SPOTS];
	if (s->base->data != INDEX) return;
	const uint32_t count = find_spots(&s->best, spots);
	for (uint32_t i = 0; i < count; i++) /* indices are drawn from -4..3 */
		if (spots[i].axis >= 0) s->floors[spots[i].axis] = spots[i].value < 4 ? spots[i].value : 4;
}

static void shrink(search *s)
{
	bool changed = true;
	while (changed && conform__process_now_ns() < s->deadline_ns) {
		changed = drop_steps(s);
		changed |= drop_words(s, VARIANT_ATTRS, 0, false);
		changed |= drop_words(s, VARIANT_INPUTS, 1, true);
		while (shrink_numbers_once(s))
			changed = true;
		changed |= simplify_data(s);
	}
}

static hy_status find_case(const char *id, const conform_case **out_item, hy_error *error)
{
	*out_item = conform__suite_find(id);
	if (*out_item == NULL) return hy_error_set(error, HY_NOT_FOUND, "there is no case %s; --list shows all", id);
	if ((*out_item)->check == conform__recipe_check) return HY_OK;
	return hy_error_set(error, HY_UNSUPPORTED,
	                    "%s is judged by a sequence of calls, not by one graph: only cases of the groups operator "
	                    "and region can be minimised; run it alone with --case %s -v",
	                    id, id);
}

hy_status conform__minimise_make(const hy_conform_options *options, const conform_case *item, recipe_made *out,
                                 hy_error *error)
{
	conform_run run = {.seed = options->seed};
	conform__run_begin(&run, item);
	if (conform__recipe_make(&run, item->param, out)) return HY_OK;
	return hy_error_set(error, HY_INTERNAL, "%s: %s", item->info.id, run.text);
}

/* The failing case as it is, twice: what comes and goes can't be shrunk. */
static hy_status begin(search *s, const hy_conform_options *options, hy_error *error)
{
	recipe_made *made = calloc(1, sizeof(*made));
	symptom again;
	if (made == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	hy_status status = conform__minimise_make(options, s->item, made, error);
	s->outputs = made->output_count;
	if (status == HY_OK) conform__recipe_finish(NULL, made);
	free(made);
	if (status != HY_OK) return status;
	if (!conform__variant_take(s->base, &s->best))
		return hy_error_set(error, HY_UNSUPPORTED, "%s is too long to be shrunk", s->item->info.id);
	set_floors(s);
	run(s, &s->best, &s->wanted);
	if (s->wanted.status == HY_CONFORM_HARNESS_ERROR)
		return hy_error_set(error, HY_INTERNAL, "%s: %s", s->item->info.id, s->text);
	if (s->wanted.status == HY_CONFORM_PASS || s->wanted.status == HY_CONFORM_NOT_SUPPORTED)
		return hy_error_set(error, HY_NOT_FOUND, "%s is %s: there is no failure to minimise", s->item->info.id,
		                    hy_conform_status_name(s->wanted.status));
	if (s->wanted.status == HY_CONFORM_TIMEOUT)
		s->seconds = HANG_SECONDS;
	else if (s->wanted.hangs)
		s->timeout_scale /= 8; /* of tickets, which have eight seconds */
	run(s, &s->best, &again);
	if (is_same(&again, &s->wanted)) return HY_OK;
	return hy_error_set(error, HY_UNSUPPORTED, "%s fails in two ways (%s, then %s): it can't be shrunk",
	                    s->item->info.id, hy_conform_status_name(s->wanted.status),
	                    hy_conform_status_name(again.status));
}

hy_status hy_conform_minimise(const hy_conform_options *options, const char *id, const char *folder,
                              hy_conform_minimised *out_result, hy_error *error)
{
	if (options == NULL || id == NULL || folder == NULL || out_result == NULL || options->plugin == NULL)
		return hy_error_set(error, HY_INVALID, "a plugin, a case and a folder are needed");
	search *s = calloc(1, sizeof(*s));
	if (s == NULL) return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	hy_conform_options alone = {.size = 0}; /* callers built against an older header know fewer options */
	memcpy(&alone, options, options->size < sizeof(alone) ? options->size : sizeof(alone));
	alone.batch = 1;
	hy_status status = HY_OK;
	if (alone.plugin == NULL || access(alone.plugin, R_OK) != 0)
		status = hy_error_set(error, HY_NOT_FOUND, "%s can't be read",
		                      alone.plugin != NULL ? alone.plugin : "the plugin");
	if (status == HY_OK) status = find_case(id, &s->item, error);
	if (status == HY_OK) status = conform__supervisor_init(&s->worker, &alone, error);
	if (status != HY_OK) goto done;
	s->base = s->item->param;
	s->seconds = s->item->seconds;
	s->timeout_scale = alone.timeout_scale > 0 ? alone.timeout_scale : 1;
	s->deadline_ns = conform__process_now_ns() + (uint64_t)(SEARCH_SECONDS * s->timeout_scale * 1e9);
	status = begin(s, &alone, error);
	if (status != HY_OK) goto done;
	shrink(s);
	symptom last;
	run(s, &s->best, &last); /* the text of what is written, and whether it stayed */
	if (!is_same(&last, &s->wanted)) {
		status = hy_error_set(error, HY_UNSUPPORTED, "%s fails now and then: it can't be shrunk", id);
		goto done;
	}
	const recipe small = conform__variant_recipe(&s->best, s->base);
	conform_case item = *s->item;
	item.param = &small;
	const minimise_failure failure = {.text = s->text,
	                                  .seconds = s->wanted.hangs ? HANG_SECONDS : 30,
	                                  .arithmetic = last.arithmetic,
	                                  .exits = s->wanted.exit_code >= 0};
	status = conform__minimise_write(&alone, &item, &failure, folder, error);
	*out_result = (hy_conform_minimised){
		.status = s->wanted.status, .tries = s->tries, .stopped = conform__process_now_ns() > s->deadline_ns};
	snprintf(out_result->text, sizeof(out_result->text), "%s", s->text);
	conform__minimise_tell(s->base, out_result->before, sizeof(out_result->before));
	conform__minimise_tell(&small, out_result->after, sizeof(out_result->after));
done:
	conform__supervisor_stop(&s->worker);
	free(s);
	return status;
}
