/* The option "cores". */
#include "opencl.h"

hy_status hy_opencl_cores_take(hy_device *device, const char *cores)
{
	return hy_opencl_refuse(device->plugin, HY_UNSUPPORTED, "cores=%s", cores);
}

void hy_opencl_cores_give(hy_device *device)
{
	(void)device;
}
