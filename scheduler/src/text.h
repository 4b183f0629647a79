/* A text that grows: what the printers write into. */
#ifndef HY_SCHED_TEXT_H
#define HY_SCHED_TEXT_H

#include <halyard/status.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct hy_sched__text {
	char *bytes; /* NUL-terminated once something was added */
	size_t length, room;
	bool failed; /* no memory: what follows is ignored */
} hy_sched__text;

void hy_sched__text_add(hy_sched__text *text, const char *format, ...) HY_PRINTF(2, 3);
/* "12.3 ms", "4.0 MiB". */
void hy_sched__text_add_ns(hy_sched__text *text, unsigned long long ns);
void hy_sched__text_add_bytes(hy_sched__text *text, unsigned long long bytes);

#endif
