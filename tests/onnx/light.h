/* The nine light models: well-known networks whose weights are all one number, with the output they must give. */
#ifndef ONNX_LIGHT_H
#define ONNX_LIGHT_H

#include <halyard/ir/graph.h>

#define LIGHT_FOLDER HY_SOURCE_DIR "/../shared/models/light"

static const char *const light_names[] = {
	"bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50",
	"shufflenet",   "squeezenet",  "vgg19",        "zfnet512",
};
enum { LIGHT_COUNT = sizeof(light_names) / sizeof(light_names[0]) };

static inline void light_path(char *path, size_t length, const char *name, const char *ending)
{
	snprintf(path, length, "%s/light_%s%s", LIGHT_FOLDER, name, ending);
}

#endif
