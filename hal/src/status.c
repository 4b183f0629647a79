/* Statuses and the error record. */
#include <halyard/status.h>

#include <stdarg.h>
#include <stdio.h>

const char *hy_status_text(hy_status status)
{
	switch (status) {
#define X(name, value, text) \
	case HY_##name:      \
		return text;
		HY_STATUS_LIST(X)
#undef X
	}
	return "a status this version does not know";
}

const char *hy_status_name(hy_status status)
{
	switch (status) {
#define X(name, value, text) \
	case HY_##name:      \
		return #name;
		HY_STATUS_LIST(X)
#undef X
	}
	return "?";
}

const char *hy_scope_name(hy_scope scope)
{
	switch (scope) {
#define X(name, value, text)  \
	case HY_SCOPE_##name: \
		return #name;
		HY_SCOPE_LIST(X)
#undef X
	}
	return "?";
}

hy_status hy_error_set(hy_error *error, hy_status status, const char *format, ...)
{
	if (error == NULL) return status;
	error->status = status;
	error->scope = HY_SCOPE_CALL;
	error->native = 0;
	va_list args;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return status;
}
