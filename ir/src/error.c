/* Error texts of the room. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

hy_status hy_ir__no_memory(hy_error *error)
{
	return hy_error_set(error, HY_NO_MEMORY, "not enough memory for the graph");
}

hy_status hy_ir__error_within(hy_error *error, hy_status status, const char *format, ...)
{
	if (error == NULL) return status;
	char text[HY_ERROR_TEXT_BYTES], where[HY_ERROR_TEXT_BYTES];
	memcpy(text, error->text, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	va_list args;
	va_start(args, format);
	vsnprintf(where, sizeof(where), format, args);
	va_end(args);
	size_t length = strlen(where);
	if (length > sizeof(text) - 3) length = sizeof(text) - 3;
	memcpy(error->text, where, length);
	snprintf(error->text + length, sizeof(error->text) - length, ": %s", text);
	return status;
}
