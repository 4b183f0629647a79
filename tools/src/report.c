/* Standard error: errors, notes, progress and the plugins' log. */
#include "report.h"

#include <halyard/halyard.h>

#include <stdio.h>
#include <unistd.h>

tool_exit tool_report(tool_exit code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fflush(stdout);
	fputs("halyard: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	return code;
}

tool_exit tool_report_error(tool_exit code, const hy_error *error)
{
	return tool_report(code, "%s", error->text[0] != '\0' ? error->text : hy_status_text(error->status));
}

void tool_note(const tool_options *options, const char *format, ...)
{
	if (options->quiet) return;
	fflush(stdout);
	va_list arguments;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

void tool_progress(void *payload, const char *what, double fraction)
{
	const tool_options *const options = payload;
	if (options->quiet || !isatty(STDERR_FILENO)) return;
	if (fraction >= 1)
		fputs("\r\033[K", stderr);
	else
		fprintf(stderr, "\r\033[K%3.0f %%  %s", 100 * fraction, what);
	fflush(stderr);
}

void tool_log(void *payload, int32_t level, const char *plugin, const char *text)
{
	const tool_options *const options = payload;
	const int32_t least = options->verbose ? HY_LOG_DEBUG : options->quiet ? HY_LOG_ERROR : HY_LOG_WARN;
	if (level >= least) fprintf(stderr, "%s: %s\n", plugin, text);
}
