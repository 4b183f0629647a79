/* The plugin's own declarations of OpenCL against the SDK's, where that is installed: compiling is the check. */
#include <stdio.h>

#if __has_include(<CL/cl.h>)
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include "../../plugins/opencl/src/api.h"

#define X(name, value) _Static_assert((unsigned long long)CL_##name == (unsigned long long)(value), #name);
OCL_CONSTANTS(X)
#undef X

#define CL(result, name, parameters) _Static_assert(_Generic(&name, result(*) parameters : 1, default : 0), #name);
#include "../../plugins/opencl/src/api.def"
#undef CL

int main(void)
{
	return 0;
}
#else
int main(void)
{
	printf("skipped: <CL/cl.h> is not installed (Debian: opencl-c-headers)\n");
	return 77;
}
#endif
