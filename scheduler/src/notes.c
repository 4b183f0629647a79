/* The plan's notes. */
#include "notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *name, *text;
} reasons[] = {
#define X(name, value, text) [value] = {#name, text},
	HY_REASON_LIST(X)
#undef X
};

const char *hy_sched__reason_text(hy_reason reason)
{
	return reason < sizeof(reasons) / sizeof(reasons[0]) ? reasons[reason].text
	                                                     : "a reason this version does not know";
}

const char *hy_sched__reason_name(hy_reason reason)
{
	return reason < sizeof(reasons) / sizeof(reasons[0]) ? reasons[reason].name : "?";
}

hy_status hy_sched__note(hy_sched_plan *plan, uint32_t node, const char *device, hy_reason reason, hy_error *error,
                         const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	const int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *text = malloc((size_t)length + 1);
	hy_sched_plan_note *notes = realloc(plan->notes, (plan->note_count + 1) * sizeof(*notes));
	if (notes != NULL) plan->notes = notes;
	if (text == NULL || notes == NULL) {
		va_end(again);
		free(text);
		return hy_error_set(error, HY_NO_MEMORY, "no memory for a note");
	}
	vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	const hy_sched_plan_note note = {node, device, reason, text};
	plan->notes[plan->note_count++] = note;
	return HY_OK;
}

void hy_sched__notes_finish(hy_sched_plan *plan)
{
	for (uint32_t i = 0; i < plan->note_count; i++)
		free((char *)plan->notes[i].text);
	free(plan->notes);
}
