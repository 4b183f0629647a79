/* Choosing layers by name. */
#include "layer.h"

#include "text.h"

#include <string.h>

static const char *const names_of_layers[] = {"validate", "trace"};
enum { LAYERS = sizeof(names_of_layers) / sizeof(names_of_layers[0]) };

hy_status hy_hal__layers_parse(const char *names, uint32_t *out_layers, hy_error *error)
{
	uint32_t layers = 0;
	while (names != NULL && *names != '\0') {
		char name[32];
		const size_t length = strcspn(names, ",");
		hy_hal__text_copy(name, sizeof(name), names, length);
		uint32_t index = 0;
		while (index < LAYERS && strcmp(names_of_layers[index], name) != 0)
			index++;
		if (index == LAYERS)
			return hy_error_set(error, HY_INVALID, "unknown layer '%s': use validate, trace", name);
		layers |= 1u << index;
		names += length + (names[length] == ',');
	}
	*out_layers = layers;
	return HY_OK;
}

hy_hal__calls *hy_hal__layers_create(const hy_plugin *table, uint32_t layers, const hy_hal__log *log,
                                     const char *plugin)
{
	hy_hal__calls *top = hy_hal__calls_direct(table);
	if (top != NULL && (layers & HY_HAL__LAYER_VALIDATE) != 0) {
		hy_hal__calls *layer = hy_hal__layer_validate(top, log, plugin);
		if (layer == NULL) hy_hal__calls_destroy(top);
		top = layer;
	}
	if (top != NULL && (layers & HY_HAL__LAYER_TRACE) != 0) {
		hy_hal__calls *layer = hy_hal__layer_trace(top, log, plugin);
		if (layer == NULL) hy_hal__calls_destroy(top);
		top = layer;
	}
	return top;
}

bool hy_hal__layers_add_thread(hy_hal__calls **top)
{
	hy_hal__calls **bottom = top;
	while ((*bottom)->next != NULL)
		bottom = &(*bottom)->next;
	hy_hal__calls *layer = hy_hal__layer_thread(*bottom);
	if (layer == NULL) return false;
	*bottom = layer;
	return true;
}
