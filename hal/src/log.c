/* The caller's log sink. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

void hy_hal__log_write(const hy_hal__log *log, int32_t level, const char *plugin, const char *format, ...)
{
	if (log->fn == NULL || level < log->level) return;
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log->fn(log->payload, level, plugin, text);
}
