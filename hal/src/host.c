/* The services of hy_host, and the record of the call that runs on a thread. */
#include "host.h"

#include "queue.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static _Thread_local hy_hal__call *current;

void hy_hal__call_begin(hy_hal__call *call)
{
	call->outer = current;
	call->is_set = false;
	current = call;
}

void hy_hal__call_drop(hy_hal__call *call)
{
	current = call->outer;
}

hy_status hy_hal__call_explain(hy_status status, const char *format, ...)
{
	if (current == NULL) return status;
	current->is_set = true;
	current->status = status;
	current->scope = HY_SCOPE_CALL;
	current->native = 0;
	va_list args;
	va_start(args, format);
	vsnprintf(current->text, sizeof(current->text), format, args);
	va_end(args);
	return status;
}

static bool is_status(hy_status status)
{
	return hy_status_name(status)[0] != '?';
}

hy_status hy_hal__call_end(hy_hal__call *call, hy_status status, const char *where, const char *what, hy_error *error)
{
	current = call->outer;
	if (status == HY_OK) return HY_OK;
	if (!call->is_set) {
		call->scope = HY_SCOPE_CALL;
		call->native = 0;
		snprintf(call->text, sizeof(call->text), "answered %s (%s) and gave no reason", hy_status_name(status),
		         hy_status_text(status));
	}
	call->status = is_status(status) ? status : HY_INTERNAL;
	if (call->scope > HY_SCOPE_PROCESS) call->scope = HY_SCOPE_DEVICE;
	if (call->status == HY_DEVICE_LOST && call->scope == HY_SCOPE_CALL) call->scope = HY_SCOPE_DEVICE;
	if (error != NULL) {
		hy_error_set(error, call->status, "%s: %s: %s", where, what, call->text);
		error->scope = call->scope;
		error->native = call->native;
	}
	return call->status;
}

void hy_hal__call_adopt(const hy_hal__call *call)
{
	if (current == NULL || !call->is_set) return;
	current->is_set = true;
	current->status = call->status;
	current->scope = call->scope;
	current->native = call->native;
	memcpy(current->text, call->text, sizeof(current->text));
}

static void host_log(void *ctx, int32_t level, const char *text, size_t length)
{
	char line[512];
	hy_hal__text_copy(line, sizeof(line), text, length);
	hy_hal__plugin_log(ctx, level, "%s", line);
}

static hy_status host_error(void *ctx, hy_status status, hy_scope scope, int32_t native, const char *text,
                            size_t length)
{
	hy_hal__call *call = current;
	if (call == NULL) {
		char line[HY_ERROR_TEXT_BYTES];
		hy_hal__text_copy(line, sizeof(line), text, length);
		hy_hal__plugin_log(ctx, HY_LOG_ERROR, "error reported outside of a call: %s: %s",
		                   hy_status_name(status), line);
		return status;
	}
	call->is_set = true;
	call->status = status;
	call->scope = scope;
	call->native = native;
	hy_hal__text_copy(call->text, sizeof(call->text), text, length);
	return status;
}

static void host_complete(void *ctx, uint64_t number, const hy_done *done)
{
	hy_hal__plugin *plugin = ctx;
	hy_hal__ticket ticket;
	if (!hy_hal__tickets_take(&plugin->tickets, number, &ticket)) {
		hy_hal__plugin_log(plugin, HY_LOG_ERROR,
		                   "completed ticket %#llx, which is not waited for: twice, late or invented (P10)",
		                   (unsigned long long)number);
		return;
	}
	hy_hal__queue_complete(&ticket, number, done);
}

static uint64_t host_now_ns(void *ctx)
{
	(void)ctx;
	return hy_hal_now_ns();
}

void hy_hal__host_init(hy_hal__plugin *plugin, int32_t log_level)
{
	plugin->services = (hy_host){
		.size = sizeof(plugin->services),
		.abi_minor = HY_ABI_MINOR,
		.ctx = plugin,
		.log_level = log_level,
		.log = host_log,
		.error = host_error,
		.complete = host_complete,
		.now_ns = host_now_ns,
	};
}

uint64_t hy_hal_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
