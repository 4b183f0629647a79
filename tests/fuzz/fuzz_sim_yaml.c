/* Machine files of the plugin sim: whatever is taken has every number in its range. */
#include "../../plugins/sim/sim_machine.h"

#include <stdlib.h>
#include <string.h>

static void require(int holds)
{
	if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static hy_sim_machine machine;
	hy_error error = {0};
	if (hy_sim_yaml_parse("fuzz", data, length, &machine, &error) != HY_OK) {
		require(strncmp(error.text, "fuzz:", 5) == 0);
		return 0;
	}
	require(machine.device_count <= HY_SIM_MOST_DEVICES);
	for (uint32_t i = 0; i < machine.device_count; i++) {
		const hy_sim_description *device = &machine.devices[i];
		require(device->name[0] != '\0' && strlen(device->name) < HY_SIM_NAME_BYTES);
		require(device->flops > 0 && device->memory_bytes > 0 && device->bandwidth > 0);
		require(!device->has_link || device->link_bandwidth > 0);
		require(device->refused_count <= HY_SIM_MOST_REFUSED);
	}
	return 0;
}
