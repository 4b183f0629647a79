/* The IR: what a model is. Includes the headers below and nothing else. */
#ifndef HALYARD_IR_H
#define HALYARD_IR_H

#include <halyard/ir/blob.h>
#include <halyard/ir/build.h>
#include <halyard/ir/eval.h>
#include <halyard/ir/graph.h>
#include <halyard/ir/infer.h>
#include <halyard/ir/onnx.h>
#include <halyard/ir/op.h>
#include <halyard/ir/pass.h>
#include <halyard/ir/strip.h>
#include <halyard/ir/text.h>
#include <halyard/ir/work.h>

#endif
