/* A growing text. The first failure sticks: writers need no checks, the owner asks once at the end. */
#ifndef HY_KERNELS_TEXT_H
#define HY_KERNELS_TEXT_H

#include <halyard/status.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct hy_kernels__text {
	char *data; /* NUL-terminated once something was written; free() */
	size_t length, room;
	bool failed;
} hy_kernels__text;

void hy_kernels__text_add(hy_kernels__text *text, const char *format, ...) HY_PRINTF(2, 3);
void hy_kernels__text_append(hy_kernels__text *text, const char *data, size_t length);
/* A line "#define name value". */
void hy_kernels__text_define(hy_kernels__text *text, const char *name, const char *format, ...) HY_PRINTF(3, 4);
void hy_kernels__text_finish(hy_kernels__text *text);

#endif
