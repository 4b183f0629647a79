/* Second looks at a case that did not hold. */
#include "retry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool holds(hy_conform_status status)
{
	return status == HY_CONFORM_PASS || status == HY_CONFORM_NOT_SUPPORTED;
}

/* Whether the case does not hold after these cases in a fresh worker, as it did not before. */
static bool fails_after(supervisor *worker, uint32_t count, const conform_case *const *cases, const conform_case *item)
{
	static supervisor_result result;
	conform__supervisor_sequence(worker, count, cases, item, &result);
	return !holds(result.status) && result.status != HY_CONFORM_NOT_RUN;
}

/* The fewest cases in a row before item that it still fails after, by halving: [*first, *first + result). */
static uint32_t bisect(supervisor *worker, uint32_t count, const conform_case *const *cases, const conform_case *item,
                       uint32_t *out_first)
{
	uint32_t first = 0;
	while (count > 1) {
		const uint32_t half = count / 2;
		if (fails_after(worker, half, cases + first, item)) {
			count = half;
		} else if (fails_after(worker, count - half, cases + first + half, item)) {
			first += half;
			count -= half;
		} else {
			break; /* it takes some of both halves */
		}
	}
	*out_first = first;
	return count;
}

/* Says after which cases the failure comes; false when it does not come again. */
static bool name_predecessor(supervisor *worker, uint32_t count, const conform_case *const *cases,
                             const conform_case *item, char *text, size_t length)
{
	uint32_t first;
	if (count == 0 || !fails_after(worker, count, cases, item)) return false;
	const uint32_t left = bisect(worker, count, cases, item, &first);
	if (left == 1)
		snprintf(text, length, "; it fails after %s in one process, and not without", cases[first]->info.id);
	else
		snprintf(text, length, "; it fails after the %u cases from %s to %s in one process", left,
		         cases[first]->info.id, cases[first + left - 1]->info.id);
	return true;
}

void conform__retry(supervisor *worker, const conform_case *item, supervisor_result *result)
{
	static supervisor_result again;
	uint32_t count = worker->history_count;
	if (count > 0 && worker->history[count - 1] == item) count--;
	const conform_case **before = calloc(count + 1u, sizeof(before[0]));
	if (before != NULL) memcpy(before, worker->history, count * sizeof(before[0]));
	conform__supervisor_stop(worker);
	conform__supervisor_run(worker, item, &again);
	conform__supervisor_stop(worker);
	char order[512] = "", first[512];
	if (again.status == result->status) goto done;
	if (holds(again.status) && before != NULL) name_predecessor(worker, count, before, item, order, sizeof(order));
	snprintf(first, sizeof(first), "%.500s", result->text);
	const hy_conform_status status = result->status;
	result->status = HY_CONFORM_FLAKY;
	snprintf(result->text, sizeof(result->text), "%s first (%s), %s alone in a fresh worker%s%.2000s%s",
	         hy_conform_status_name(status), first, hy_conform_status_name(again.status),
	         again.text[0] != '\0' ? ": " : "", again.text, order);
done:
	free(before);
}
