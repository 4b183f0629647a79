/* Growing texts. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(hy_kernels__text *text, size_t more)
{
	if (text->failed) return false;
	if (text->length + more + 1 <= text->room) return true;
	size_t room = text->room ? text->room : 256;
	while (room < text->length + more + 1)
		room *= 2;
	char *data = realloc(text->data, room);
	if (data == NULL) {
		text->failed = true;
		return false;
	}
	text->data = data;
	text->room = room;
	return true;
}

void hy_kernels__text_append(hy_kernels__text *text, const char *data, size_t length)
{
	if (!reserve(text, length)) return;
	memcpy(text->data + text->length, data, length);
	text->length += length;
	text->data[text->length] = '\0';
}

static void add_list(hy_kernels__text *text, const char *format, va_list list)
{
	va_list again;
	va_copy(again, list);
	const int length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0 || !reserve(text, (size_t)length)) return;
	vsnprintf(text->data + text->length, (size_t)length + 1, format, list);
	text->length += (size_t)length;
}

void hy_kernels__text_add(hy_kernels__text *text, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	add_list(text, format, list);
	va_end(list);
}

void hy_kernels__text_define(hy_kernels__text *text, const char *name, const char *format, ...)
{
	hy_kernels__text_add(text, "#define %s ", name);
	va_list list;
	va_start(list, format);
	add_list(text, format, list);
	va_end(list);
	hy_kernels__text_append(text, "\n", 1);
}

void hy_kernels__text_finish(hy_kernels__text *text)
{
	free(text->data);
	*text = (hy_kernels__text){0};
}
