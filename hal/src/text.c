/* Text from outside made one clean line. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hy_hal__text_copy(char *target, size_t size, const char *text, size_t length)
{
	size_t used = 0;
	for (size_t i = 0; text != NULL && i < length && text[i] != '\0' && used + 1 < size; i++) {
		const unsigned char c = (unsigned char)text[i];
		target[used++] = (char)(c < 0x20 || c == 0x7f ? ' ' : c);
	}
	while (used > 0 && target[used - 1] == ' ')
		used--;
	target[used] = '\0';
}

char *hy_hal__text_format(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = NULL;
	const int length = vasprintf(&text, format, args);
	va_end(args);
	return length < 0 ? NULL : text;
}
