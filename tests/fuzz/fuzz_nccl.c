/* Topologies of NCCL: what is taken is a cluster that holds together. */
#include "cluster_import.h"

#include <stdlib.h>
#include <string.h>

static void require(int holds)
{
	if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	hy_sched_cluster *cluster = NULL;
	hy_error error = {0};
	const hy_status status = hy_sched__import_nccl("fuzz", (const char *)data, length, &cluster, &error);
	require((status == HY_OK) == (cluster != NULL));
	require(status == HY_OK || strncmp(error.text, "fuzz:", 5) == 0 || status == HY_NO_MEMORY);
	for (uint32_t i = 0; cluster != NULL && i < cluster->device_count && i < 8; i++) {
		for (uint32_t j = 0; j < cluster->device_count && j < 8; j++) {
			hy_sched_route route;
			require(hy_sched_cluster_route(cluster, cluster->devices[i].place, cluster->devices[j].place,
			                               &route, NULL) != HY_INVALID);
		}
	}
	for (uint32_t i = 0; cluster != NULL && i < cluster->link_count; i++)
		require(cluster->links[i].bytes_per_s.value > 0 && cluster->links[i].channel < cluster->channel_count);
	hy_sched_cluster_destroy(cluster);
	return 0;
}
