/* What a run says on a terminal: cases as they end, then a summary that fits 25 lines. */
#ifndef HY_CONFORM_PRIVATE_SHOW_H
#define HY_CONFORM_PRIVATE_SHOW_H

#include <halyard/conform.h>

enum { SHOW_FAILURES = 16, SHOW_GROUPS = 16 };

typedef struct show_group {
	const char *name;
	uint32_t total, count[HY_CONFORM_STATUS_COUNT];
} show_group;

typedef struct show {
	uint32_t verbose; /* 1: cases that do not hold, 2: every case */
	bool progress; /* a line on standard error that counts */
	uint32_t ended, failure_count, group_count;
	show_group groups[SHOW_GROUPS];
	char failures[SHOW_FAILURES][512]; /* the first ones */
} show;

/* The options' on_result; payload is a show. */
void conform__show_result(void *payload, const hy_conform_result *result);
void conform__show_summary(const show *self, const hy_conform_options *options, const hy_conform_summary *summary);

#endif
