/* Halyard: one ONNX model over every accelerator of a machine.
 *
 * The one header an application includes. In short:
 *     hy_hal_machine_open        what is here
 *     hy_ir_onnx_load            a model; bind its symbolic dimensions; hy_ir_prepare
 *     hy_sched_plan_create       where it will run, and why
 *     hy_sched_session_create    load it; hy_sched_session_run, _submit, _stats
 * Link with `pkg-config --libs halyard` or the CMake package. */
#ifndef HALYARD_HALYARD_H
#define HALYARD_HALYARD_H

#include <halyard/cluster.h>
#include <halyard/hal.h>
#include <halyard/ir.h>
#include <halyard/sched.h>
#include <halyard/simulate.h>

#define HY_VERSION_MAJOR 0
#define HY_VERSION_MINOR 1
#define HY_VERSION_PATCH 0

#endif
