/* The list of architectures. */
#include "zoo_net.h"

#include <string.h>

static const zoo_entry entries[] = {
	{"resnet50", "ResNet-50 v1.5, image classification (He et al., 2015)", 224, 32, zoo_resnet50},
	{"mobilenet_v2", "MobileNetV2, image classification (Sandler et al., 2018)", 224, 32, zoo_mobilenet_v2},
	{"squeezenet", "SqueezeNet 1.1, image classification (Iandola et al., 2016)", 224, 32, zoo_squeezenet},
	{"vgg16", "VGG-16, image classification (Simonyan and Zisserman, 2014)", 224, 32, zoo_vgg16},
	{"unet", "U-Net, segmentation (Ronneberger et al., 2015), padded, 32 channels at the top", 256, 16, zoo_unet},
	{"yolo", "YOLOv3-tiny, detection (Redmon and Farhadi, 2018), raw heads", 416, 32, zoo_yolo},
	{"bert_tiny", "BERT-tiny, text encoder of 2 layers and 128 features (Turc et al., 2019)", 128, 1,
         zoo_bert_tiny},
	{"vit_tiny", "ViT-tiny/16, image classification (Touvron et al., 2021)", 224, 16, zoo_vit_tiny},
	{0},
};

const zoo_entry *zoo_list(void)
{
	return entries;
}

hy_status zoo_create(const char *name, const zoo_options *options, hy_ir_graph **out_graph, hy_error *error)
{
	const zoo_entry *entry = entries;
	while (entry->name != NULL && strcmp(entry->name, name) != 0)
		entry++;
	if (entry->name == NULL)
		return hy_error_set(error, HY_NOT_FOUND, "the zoo has no '%s'; `halyard zoo list` shows what it has",
		                    name);
	const int64_t size = options->size == 0 ? entry->size : options->size;
	if (size < 0 || size > 8192 || size % entry->size_step != 0)
		return hy_error_set(error, HY_INVALID, "%s: size %lld is not a multiple of %lld up to 8192", name,
		                    (long long)size, (long long)entry->size_step);

	zoo_net net = {.seed = options->seed,
	               .batch = options->batch == 0 ? HY_IR_DIM_UNKNOWN : options->batch,
	               .error = error};
	net.status = hy_ir_graph_create(name, &net.graph, error);
	entry->build(&net, size);
	if (net.status == HY_OK) net.status = hy_ir_infer_graph(net.graph, error);
	if (net.status != HY_OK) {
		hy_ir_graph_destroy(net.graph);
		return net.status;
	}
	*out_graph = net.graph;
	return HY_OK;
}
