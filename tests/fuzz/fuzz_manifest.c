/* Manifests of plugins: any bytes are read or refused with a place; nothing is left behind. */
#include "manifest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hy_hal__manifest manifest;
	const hy_status status = hy_hal__manifest_parse("/plugins.d/x.yaml", (const char *)data, size, &manifest);
	if ((status == HY_OK) != (manifest.errors == NULL)) abort();
	if (status == HY_OK && (strcmp(manifest.name, "x") != 0 || manifest.library[0] != '/')) abort();
	if (status == HY_INVALID && strstr(manifest.errors, "/plugins.d/x.yaml:") != manifest.errors) abort();
	hy_hal__manifest_finish(&manifest);
	return 0;
}
