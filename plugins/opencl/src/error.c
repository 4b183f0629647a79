/* Failures: OpenCL's codes as statuses and scopes, and their texts. */
#include "opencl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int32_t code;
	hy_status status;
	hy_scope scope;
} meanings[] = {
	{OCL_SUCCESS, HY_OK, HY_SCOPE_CALL},
	{OCL_DEVICE_NOT_FOUND, HY_NOT_FOUND, HY_SCOPE_CALL},
	{OCL_DEVICE_NOT_AVAILABLE, HY_DEVICE_LOST, HY_SCOPE_DEVICE},
	{OCL_COMPILER_NOT_AVAILABLE, HY_UNSUPPORTED, HY_SCOPE_CALL},
	{OCL_MEM_OBJECT_ALLOCATION_FAILURE, HY_NO_MEMORY, HY_SCOPE_CALL},
	/* a kernel that failed on the device also ends so: the context can't be trusted after it */
	{OCL_OUT_OF_RESOURCES, HY_DEVICE_LOST, HY_SCOPE_DEVICE},
	{OCL_OUT_OF_HOST_MEMORY, HY_NO_MEMORY, HY_SCOPE_CALL},
	{OCL_BUILD_PROGRAM_FAILURE, HY_INTERNAL, HY_SCOPE_CALL},
	{OCL_DEVICE_PARTITION_FAILED, HY_UNSUPPORTED, HY_SCOPE_CALL},
	{OCL_INVALID_BUFFER_SIZE, HY_NO_MEMORY, HY_SCOPE_CALL},
};

hy_status hy_opencl_status(int32_t code)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (meanings[i].code == code) return meanings[i].status;
	return HY_INTERNAL;
}

hy_scope hy_opencl_scope(int32_t code)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (meanings[i].code == code) return meanings[i].scope;
	return HY_SCOPE_CALL;
}

hy_status hy_opencl_fail(const hy_opencl_plugin *plugin, int32_t code, const char *format, ...)
{
	char text[HY_ERROR_TEXT_BYTES];
	va_list list;
	va_start(list, format);
	int length = vsnprintf(text, sizeof(text) - 64, format, list);
	va_end(list);
	if (length < 0) length = 0;
	const size_t used = strlen(text);
	snprintf(text + used, sizeof(text) - used, ": %s (%d)", hy_opencl_api_name(code), (int)code);
	return plugin->host->error(plugin->host->ctx, hy_opencl_status(code), hy_opencl_scope(code), code, text,
	                           strlen(text));
}

hy_status hy_opencl_refuse(const hy_opencl_plugin *plugin, hy_status status, const char *format, ...)
{
	char text[HY_ERROR_TEXT_BYTES];
	va_list list;
	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	return plugin->host->error(plugin->host->ctx, status, HY_SCOPE_CALL, 0, text, strlen(text));
}

hy_status hy_opencl_forward(const hy_opencl_plugin *plugin, const hy_error *error)
{
	return plugin->host->error(plugin->host->ctx, error->status, error->scope, error->native, error->text,
	                           strlen(error->text));
}
