/* Growing a cluster, and making it ready to be asked. */
#include "cluster_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

hy_sched__cluster *hy_sched__cluster_create(void)
{
	return calloc(1, sizeof(hy_sched__cluster));
}

static void forget_ways(hy_sched__cluster *cluster)
{
	const uint32_t relays = cluster->host_count + cluster->switch_count;
	for (uint32_t i = 0; cluster->ways != NULL && i < relays; i++)
		free(atomic_load(&cluster->ways[i]));
	free(cluster->ways);
	free(cluster->first_links);
	free(cluster->by_from);
	cluster->ways = NULL;
	cluster->first_links = cluster->by_from = NULL;
}

void hy_sched__cluster_destroy(hy_sched__cluster *cluster)
{
	if (cluster == NULL) return;
	forget_ways(cluster);
	for (uint32_t i = 0; i < cluster->text_count; i++)
		free(cluster->texts[i]);
	free(cluster->texts);
	free(cluster->types);
	free(cluster->nodes);
	free(cluster->devices);
	free(cluster->places);
	free(cluster->links);
	free(cluster->channels);
	free(cluster);
}

void hy_sched_cluster_destroy(hy_sched_cluster *cluster)
{
	hy_sched__cluster_destroy(cluster == NULL ? NULL : hy_sched__cluster_of(cluster));
}

/* Room for one more of `size` bytes in the array at *items. */
static bool grow(hy_sched__cluster *cluster, void *items, size_t size, uint32_t count, uint32_t *room)
{
	if (cluster->no_memory) return false;
	if (count < *room) return true;
	void *old;
	memcpy(&old, items, sizeof(old));
	const uint32_t larger = *room == 0 ? 16 : 2 * *room;
	void *more = realloc(old, larger * size);
	if (more == NULL) {
		cluster->no_memory = true;
		return false;
	}
	memcpy(items, &more, sizeof(more));
	*room = larger;
	return true;
}

const char *hy_sched__cluster_text(hy_sched__cluster *cluster, const char *format, ...)
{
	char *text = NULL;
	if (!grow(cluster, &cluster->texts, sizeof(*cluster->texts), cluster->text_count, &cluster->text_room))
		return NULL;
	va_list args;
	va_start(args, format);
	const int length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0) {
		cluster->no_memory = true;
		return NULL;
	}
	cluster->texts[cluster->text_count++] = text;
	return text;
}

uint32_t hy_sched__cluster_add_type(hy_sched__cluster *cluster, const hy_sched_cluster_type *type)
{
	hy_sched_cluster *c = &cluster->shown;
	if (!grow(cluster, &cluster->types, sizeof(*type), c->type_count, &cluster->type_room))
		return HY_SCHED_CLUSTER_NONE;
	cluster->types[c->type_count] = *type;
	return c->type_count++;
}

static uint32_t add_place(hy_sched__cluster *cluster, const char *name, hy_sched_place_kind kind, uint32_t node)
{
	hy_sched_cluster *c = &cluster->shown;
	if (!grow(cluster, &cluster->places, sizeof(*cluster->places), c->place_count, &cluster->place_room))
		return HY_SCHED_CLUSTER_NONE;
	cluster->places[c->place_count] = (hy_sched_cluster_place){name, kind, node};
	cluster->host_count += kind == HY_SCHED_HOST;
	cluster->switch_count += kind == HY_SCHED_SWITCH;
	return c->place_count++;
}

uint32_t hy_sched__cluster_add_node(hy_sched__cluster *cluster, const hy_sched_cluster_node *node)
{
	hy_sched_cluster *c = &cluster->shown;
	if (!grow(cluster, &cluster->nodes, sizeof(*node), c->node_count, &cluster->node_room))
		return HY_SCHED_CLUSTER_NONE;
	hy_sched_cluster_node *added = &cluster->nodes[c->node_count];
	*added = *node;
	added->first_place = c->place_count;
	for (uint32_t i = 0; i < node->numa_count; i++)
		add_place(cluster, hy_sched__cluster_text(cluster, "%s/numa:%u", node->name, i), HY_SCHED_HOST,
		          c->node_count);
	return c->node_count++;
}

uint32_t hy_sched__cluster_add_device(hy_sched__cluster *cluster, const hy_sched_cluster_device *device)
{
	hy_sched_cluster *c = &cluster->shown;
	if (!grow(cluster, &cluster->devices, sizeof(*device), c->device_count, &cluster->device_room))
		return HY_SCHED_CLUSTER_NONE;
	hy_sched_cluster_node *node = &cluster->nodes[device->node];
	hy_sched_cluster_device *added = &cluster->devices[c->device_count];
	*added = *device;
	added->name = hy_sched__cluster_text(cluster, "%s/%s", node->name, device->id);
	added->place = cluster->types[device->type].in_host_memory
	                       ? node->first_place + device->numa
	                       : add_place(cluster, added->name, HY_SCHED_DEVICE, device->node);
	if (node->device_count++ == 0) node->first_device = c->device_count;
	return c->device_count++;
}

uint32_t hy_sched__cluster_add_switch(hy_sched__cluster *cluster, const char *name)
{
	return add_place(cluster, name, HY_SCHED_SWITCH, HY_SCHED_CLUSTER_NONE);
}

uint32_t hy_sched__cluster_add_channel(hy_sched__cluster *cluster, const char *name)
{
	hy_sched_cluster *c = &cluster->shown;
	if (!grow(cluster, &cluster->channels, sizeof(*cluster->channels), c->channel_count, &cluster->channel_room))
		return HY_SCHED_CLUSTER_NONE;
	cluster->channels[c->channel_count] = name;
	return c->channel_count++;
}

uint32_t hy_sched__cluster_add_link(hy_sched__cluster *cluster, const hy_sched_cluster_link *link)
{
	hy_sched_cluster *c = &cluster->shown;
	if (!grow(cluster, &cluster->links, sizeof(*link), c->link_count, &cluster->link_room))
		return HY_SCHED_CLUSTER_NONE;
	cluster->links[c->link_count] = *link;
	return c->link_count++;
}

static void connect_one_way(hy_sched__cluster *cluster, uint32_t from, uint32_t to, const hy_sched_cluster_link *model)
{
	hy_sched_cluster_link link = *model;
	if (cluster->no_memory) return;
	link.from = from;
	link.to = to;
	link.channel = hy_sched__cluster_add_channel(
		cluster,
		hy_sched__cluster_text(cluster, "%s>%s", cluster->places[from].name, cluster->places[to].name));
	hy_sched__cluster_add_link(cluster, &link);
}

void hy_sched__cluster_connect(hy_sched__cluster *cluster, uint32_t a, uint32_t b, const char *class_name,
                               double bytes_per_s, double latency_ns, hy_sched_origin origin)
{
	double bonds;
	const hy_sched__class *class = hy_sched__class_find(class_name, &bonds);
	hy_sched_cluster_link link = {
		.bytes_per_s = {bytes_per_s > 0 ? bytes_per_s : class->bytes_per_s * bonds,
	                        bytes_per_s > 0 ? origin : HY_SCHED_DEFAULT},
		.latency_ns = {latency_ns > 0 ? latency_ns : class->latency_ns,
	                       latency_ns > 0 ? origin : HY_SCHED_DEFAULT},
	};
	snprintf(link.class_name, sizeof(link.class_name), "%s", class_name);
	connect_one_way(cluster, a, b, &link);
	connect_one_way(cluster, b, a, &link);
}

/* Whether places are linked already, both ways; before there is an index. */
static void mark_linked(const hy_sched__cluster *cluster, bool *to_host, bool *to_numa)
{
	for (uint32_t i = 0; i < cluster->shown.link_count; i++) {
		const hy_sched_cluster_link *link = &cluster->links[i];
		const bool host = link->to < cluster->host_count;
		if (host && link->from < cluster->host_count &&
		    cluster->places[link->from].node == cluster->places[link->to].node)
			to_numa[cluster->places[link->from].node] = true;
		else if (host)
			to_host[link->from] = true;
	}
}

void hy_sched__cluster_connect_rest(hy_sched__cluster *cluster)
{
	const hy_sched_cluster *c = &cluster->shown;
	bool *to_host = calloc(c->place_count + 1, sizeof(*to_host));
	bool *to_numa = calloc(c->node_count + 1, sizeof(*to_numa));
	if (to_host == NULL || to_numa == NULL) cluster->no_memory = true;
	if (!cluster->no_memory) mark_linked(cluster, to_host, to_numa);
	for (uint32_t i = 0; i < c->device_count && !cluster->no_memory; i++) {
		const hy_sched_cluster_device *device = &cluster->devices[i];
		if (device->place < cluster->host_count || to_host[device->place]) continue;
		hy_sched__cluster_connect(cluster, device->place,
		                          cluster->nodes[device->node].first_place + device->numa, "PHB", 0, 0,
		                          HY_SCHED_DEFAULT);
	}
	for (uint32_t n = 0; n < c->node_count && !cluster->no_memory; n++) {
		const hy_sched_cluster_node *node = &cluster->nodes[n];
		for (uint32_t a = 0; a < node->numa_count && !to_numa[n]; a++)
			for (uint32_t b = a + 1; b < node->numa_count; b++)
				hy_sched__cluster_connect(cluster, node->first_place + a, node->first_place + b, "SYS",
				                          0, 0, HY_SCHED_DEFAULT);
	}
	free(to_host);
	free(to_numa);
}

hy_status hy_sched__cluster_index(hy_sched__cluster *cluster, hy_error *error)
{
	hy_sched_cluster *c = &cluster->shown;
	forget_ways(cluster);
	c->types = cluster->types;
	c->nodes = cluster->nodes;
	c->devices = cluster->devices;
	c->places = cluster->places;
	c->links = cluster->links;
	c->channels = cluster->channels;
	cluster->ways = calloc(cluster->host_count + cluster->switch_count + 1, sizeof(*cluster->ways));
	cluster->first_links = calloc(c->place_count + 2, sizeof(*cluster->first_links));
	cluster->by_from = calloc(c->link_count + 1, sizeof(*cluster->by_from));
	if (cluster->no_memory || cluster->ways == NULL || cluster->first_links == NULL || cluster->by_from == NULL)
		return hy_error_set(error, HY_NO_MEMORY, "no memory for the cluster");
	uint32_t *first = cluster->first_links;
	for (uint32_t i = 0; i < c->link_count; i++)
		first[cluster->links[i].from + 2]++;
	for (uint32_t p = 0; p < c->place_count; p++)
		first[p + 2] += first[p + 1];
	for (uint32_t i = 0; i < c->link_count; i++)
		cluster->by_from[first[cluster->links[i].from + 1]++] = i;
	return HY_OK;
}

hy_status hy_sched__cluster_finish(hy_sched__cluster *take_cluster, hy_sched_cluster **out_cluster, hy_error *error)
{
	const hy_status status = hy_sched__cluster_index(take_cluster, error);
	if (status == HY_OK)
		*out_cluster = &take_cluster->shown;
	else
		hy_sched__cluster_destroy(take_cluster);
	return status;
}
