/* libOpenCL.so.1, the ICD loader. */
#include "api.h"

#include <dlfcn.h>
#include <string.h>

static const char library_name[] = "libOpenCL.so.1";

static void *find(hy_opencl_api *api, const char *name, const char **missing)
{
	void *symbol = dlsym(api->library, name);
	if (symbol == NULL && *missing == NULL) *missing = name;
	return symbol;
}

hy_status hy_opencl_api_open(hy_opencl_api *api, hy_error *error)
{
	api->library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
	if (api->library == NULL)
		return hy_error_set(error, HY_UNSUPPORTED, "%s is not installed: install an OpenCL loader and a driver",
		                    library_name);
	const char *missing = NULL;
	void *symbol;
#define CL(result, name, parameters)         \
	symbol = find(api, #name, &missing); \
	memcpy(&api->name, &symbol, sizeof(symbol));
#include "api.def"
#undef CL
	if (missing != NULL)
		return hy_error_set(error, HY_UNSUPPORTED, "%s has no %s: it must serve OpenCL 1.2", library_name,
		                    missing);
	return HY_OK;
}

const char *hy_opencl_api_name(int32_t code)
{
	static const struct {
		int32_t code;
		const char *name;
	} names[] = {
#define X(name, value) {(int32_t)(value), "CL_" #name},
		OCL_CONSTANTS(X)
#undef X
	};
	for (size_t i = 0; code < 0 && i < sizeof(names) / sizeof(*names); i++)
		if (names[i].code == code) return names[i].name;
	return "error";
}
