/* The part of OpenCL 1.2 that the plugin uses, declared here so that no SDK is needed to build; a test compares it with
 * <CL/cl.h> where that is installed. The library is opened when the first device is asked for. */
#ifndef HY_OPENCL_API_H
#define HY_OPENCL_API_H

#include <halyard/status.h>

#include <stddef.h>
#include <stdint.h>

#ifndef __OPENCL_CL_H
typedef struct _cl_platform_id *cl_platform_id;
typedef struct _cl_device_id *cl_device_id;
typedef struct _cl_context *cl_context;
typedef struct _cl_command_queue *cl_command_queue;
typedef struct _cl_mem *cl_mem;
typedef struct _cl_program *cl_program;
typedef struct _cl_kernel *cl_kernel;
typedef struct _cl_event *cl_event;
#define CL_CALLBACK
#endif

/* X(name, value): constants of the headers, under their own names with the prefix OCL. */
#define OCL_CONSTANTS(X)                            \
	X(SUCCESS, 0)                               \
	X(DEVICE_NOT_FOUND, -1)                     \
	X(DEVICE_NOT_AVAILABLE, -2)                 \
	X(COMPILER_NOT_AVAILABLE, -3)               \
	X(MEM_OBJECT_ALLOCATION_FAILURE, -4)        \
	X(OUT_OF_RESOURCES, -5)                     \
	X(OUT_OF_HOST_MEMORY, -6)                   \
	X(BUILD_PROGRAM_FAILURE, -11)               \
	X(DEVICE_PARTITION_FAILED, -18)             \
	X(INVALID_BUFFER_SIZE, -61)                 \
	X(PLATFORM_NAME, 0x0902)                    \
	X(DEVICE_TYPE_CPU, 2)                       \
	X(DEVICE_TYPE_GPU, 4)                       \
	X(DEVICE_TYPE_ACCELERATOR, 8)               \
	X(DEVICE_TYPE_CUSTOM, 16)                   \
	X(DEVICE_TYPE_ALL, 0xffffffff)              \
	X(DEVICE_TYPE, 0x1000)                      \
	X(DEVICE_VENDOR_ID, 0x1001)                 \
	X(DEVICE_MAX_COMPUTE_UNITS, 0x1002)         \
	X(DEVICE_MAX_WORK_GROUP_SIZE, 0x1004)       \
	X(DEVICE_MAX_CLOCK_FREQUENCY, 0x100c)       \
	X(DEVICE_MAX_MEM_ALLOC_SIZE, 0x1010)        \
	X(DEVICE_GLOBAL_MEM_SIZE, 0x101f)           \
	X(DEVICE_ENDIAN_LITTLE, 0x1026)             \
	X(DEVICE_AVAILABLE, 0x1027)                 \
	X(DEVICE_COMPILER_AVAILABLE, 0x1028)        \
	X(DEVICE_EXECUTION_CAPABILITIES, 0x1029)    \
	X(DEVICE_NAME, 0x102b)                      \
	X(DRIVER_VERSION, 0x102d)                   \
	X(DEVICE_EXTENSIONS, 0x1030)                \
	X(DEVICE_PARTITION_MAX_SUB_DEVICES, 0x1043) \
	X(DEVICE_PARTITION_BY_COUNTS, 0x1087)       \
	X(DEVICE_PARTITION_BY_COUNTS_LIST_END, 0)   \
	X(EXEC_NATIVE_KERNEL, 2)                    \
	X(QUEUE_PROFILING_ENABLE, 2)                \
	X(MEM_READ_WRITE, 1)                        \
	X(MEM_READ_ONLY, 4)                         \
	X(MEM_USE_HOST_PTR, 8)                      \
	X(MEM_COPY_HOST_PTR, 32)                    \
	X(PROGRAM_BINARY_SIZES, 0x1165)             \
	X(PROGRAM_BINARIES, 0x1166)                 \
	X(PROGRAM_BUILD_LOG, 0x1183)                \
	X(EVENT_COMMAND_EXECUTION_STATUS, 0x11d3)   \
	X(PROFILING_COMMAND_START, 0x1282)          \
	X(PROFILING_COMMAND_END, 0x1283)

enum {
#define X(name, value) OCL_##name = (int)(value),
	OCL_CONSTANTS(X)
#undef X
};

typedef struct hy_opencl_api {
	void *library;
#define CL(result, name, parameters) result(*name) parameters;
#include "api.def"
#undef CL
} hy_opencl_api;

/* Fails: UNSUPPORTED naming the library or the function that is missing. */
hy_status hy_opencl_api_open(hy_opencl_api *api, hy_error *error);
/* "CL_OUT_OF_RESOURCES", or "error" for a code without a name here. */
const char *hy_opencl_api_name(int32_t code);

#endif
