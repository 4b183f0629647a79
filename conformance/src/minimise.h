/* Between the search for a smaller case and the files that are written of it. */
#ifndef HY_CONFORM_PRIVATE_MINIMISE_H
#define HY_CONFORM_PRIVATE_MINIMISE_H

#include "recipe.h"

/* A run of item that has no plugin: graph, inputs and expected outputs of its recipe. */
hy_status conform__minimise_make(const hy_conform_options *options, const conform_case *item, recipe_made *out,
                                 hy_error *error);

/* How the plugin fails. */
typedef struct minimise_failure {
	const char *text;
	uint32_t seconds; /* after which the program takes it for hung */
	uint32_t arithmetic; /* that the program declares: HY_EXE_COMPUTES_* and the like */
	bool exits; /* ends the process: only another one can tell */
} minimise_failure;

/* Writes folder/model.onnx, folder/test_data_set_0/ and folder/reproduce.c. */
hy_status conform__minimise_write(const hy_conform_options *options, const conform_case *item,
                                  const minimise_failure *failure, const char *folder, hy_error *error);

/* One line: operator, inputs, attributes, steps. */
void conform__minimise_tell(const recipe *self, char *text, size_t length);

#endif
