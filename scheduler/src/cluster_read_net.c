/* The network between nodes: trees of switches, single links, or one switch when nothing is said. */
#include "cluster_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the network connects: nodes, then switches. */
typedef struct scene {
	uint32_t node_count, count;
	const char **names;
	uint32_t *places, *lines; /* of the switch entry that it hangs on, 0 none */
	uint32_t *group; /* union-find: places that are connected */
	bool *left, *right;
} scene;

static void scene_finish(scene *s)
{
	free(s->names);
	free(s->places);
	free(s->lines);
	free(s->group);
	free(s->left);
	free(s->right);
}

static bool scene_init(hy_sched__reading *r, uint32_t switch_count, scene *s)
{
	const hy_sched__cluster *cluster = r->cluster;
	const uint32_t room = cluster->shown.node_count + switch_count + 1;
	*s = (scene){.node_count = cluster->shown.node_count, .count = cluster->shown.node_count};
	s->names = calloc(room, sizeof(*s->names));
	s->places = calloc(room, sizeof(*s->places));
	s->lines = calloc(room, sizeof(*s->lines));
	s->group = calloc(room, sizeof(*s->group));
	s->left = calloc(room, sizeof(*s->left));
	s->right = calloc(room, sizeof(*s->right));
	if (s->names == NULL || s->places == NULL || s->lines == NULL || s->group == NULL || s->left == NULL ||
	    s->right == NULL) {
		r->cluster->no_memory = true;
		return false;
	}
	for (uint32_t n = 0; n < s->node_count; n++) {
		s->names[n] = cluster->nodes[n].name;
		s->places[n] = cluster->nodes[n].first_place;
	}
	for (uint32_t i = 0; i < room; i++)
		s->group[i] = i;
	return true;
}

static uint32_t group_of(const scene *s, uint32_t index)
{
	while (s->group[index] != index)
		index = s->group[index] = s->group[s->group[index]];
	return index;
}

static void add_switches(hy_sched__reading *r, scene *s, const hy_yaml_node *list)
{
	for (hy_yaml_node *map = list == NULL ? NULL : list->first; map != NULL; map = map->next) {
		hy_yaml_node *name = hy_yaml_get(map, "switch");
		if (name == NULL || map->bad) continue;
		for (uint32_t i = 0; i < s->count && !name->bad; i++)
			if (strcmp(s->names[i], name->text) == 0)
				hy_yaml_fault_node(r->document, name, "there is a %s '%s' already",
				                   i < s->node_count ? "node" : "switch", name->text);
		if (name->bad) continue;
		s->names[s->count] = name->text;
		s->places[s->count++] = hy_sched__cluster_add_switch(
			r->cluster, hy_sched__cluster_text(r->cluster, "%s", name->text));
	}
}

static uint32_t index_of(const scene *s, const char *name)
{
	for (uint32_t i = s->node_count; i < s->count; i++)
		if (strcmp(s->names[i], name) == 0) return i;
	return HY_SCHED_CLUSTER_NONE;
}

/* Hangs what marks say under switch `parent`. */
static void hang(hy_sched__reading *r, scene *s, hy_yaml_node *map, hy_yaml_node *names, uint32_t parent)
{
	hy_sched_cluster_link model;
	hy_sched__read_link_numbers(map, "NET", &model);
	for (uint32_t i = 0; i < s->count && !r->cluster->no_memory; i++) {
		if (!s->left[i] || names->bad) continue;
		if (s->lines[i] != 0) {
			hy_yaml_fault_node(r->document, names, "%s hangs on another switch already: line %u",
			                   s->names[i], s->lines[i]);
		} else if (group_of(s, i) == group_of(s, parent)) {
			hy_yaml_fault_node(r->document, names, "%s hangs on itself: a tree has no rings", s->names[i]);
		} else {
			s->lines[i] = names->line;
			s->group[group_of(s, i)] = group_of(s, parent);
			hy_sched__read_pair(r, NULL, map, s->places[i], s->places[parent], &model);
		}
	}
}

static void read_switch(hy_sched__reading *r, scene *s, hy_yaml_node *map)
{
	hy_yaml_node *nodes = hy_yaml_get(map, "nodes"), *switches = hy_yaml_get(map, "switches");
	const uint32_t parent = index_of(s, hy_yaml_text(map, "switch", ""));
	if (parent == HY_SCHED_CLUSTER_NONE) return;
	memset(s->left, 0, s->count * sizeof(*s->left));
	if (hy_sched__read_names(r, nodes, s->node_count, s->names, s->left, "there is no node"))
		hang(r, s, map, nodes, parent);
	memset(s->left, 0, s->count * sizeof(*s->left));
	if (hy_sched__read_names(r, switches, s->count - s->node_count, s->names + s->node_count,
	                         s->left + s->node_count, "there is no switch"))
		hang(r, s, map, switches, parent);
}

static void read_link(hy_sched__reading *r, scene *s, hy_sched__sharing *sharing, hy_yaml_node *map)
{
	hy_yaml_node *between = hy_yaml_get(map, "between");
	hy_sched_cluster_link model;
	uint32_t pairs = 0;
	if (between == NULL) return;
	memset(s->left, 0, s->count * sizeof(*s->left));
	memset(s->right, 0, s->count * sizeof(*s->right));
	static const char missing[] = "there is no node or switch";
	const bool left = hy_sched__read_names(r, between->first, s->count, s->names, s->left, missing);
	const bool right = hy_sched__read_names(r, between->first->next, s->count, s->names, s->right, missing);
	if (!left || !right) return;
	hy_sched__read_link_numbers(map, "NET", &model);
	for (uint32_t a = 0; a < s->count; a++) {
		for (uint32_t b = 0; b < s->count && s->left[a] && !r->cluster->no_memory; b++) {
			if (!s->right[b] || a == b) continue;
			if (s->left[b] && s->right[a] && b < a) continue; /* the pair was seen from its other end */
			pairs++;
			s->group[group_of(s, a)] = group_of(s, b);
			hy_sched__read_pair(r, sharing, map, s->places[a], s->places[b], &model);
		}
	}
	if (pairs == 0) hy_yaml_fault_node(r->document, between, "both ends name the same");
}

/* Every node must be reached from the first. */
static void check_reach(hy_sched__reading *r, const scene *s, hy_yaml_node *network)
{
	for (uint32_t n = 1; n < s->node_count; n++) {
		if (group_of(s, n) == group_of(s, 0)) continue;
		hy_yaml_fault_key(r->document, network, "%s is not connected with %s", s->names[n], s->names[0]);
		return;
	}
}

static void connect_by_default(hy_sched__reading *r)
{
	hy_sched__cluster *cluster = r->cluster;
	if (cluster->shown.node_count < 2) return;
	const uint32_t place = hy_sched__cluster_add_switch(cluster, hy_sched__cluster_text(cluster, "network"));
	for (uint32_t n = 0; n < cluster->shown.node_count && !cluster->no_memory; n++)
		hy_sched__cluster_connect(cluster, cluster->nodes[n].first_place, place, "NET", 0, 0, HY_SCHED_DEFAULT);
}

void hy_sched__read_network(hy_sched__reading *r, hy_yaml_node *network)
{
	const hy_yaml_node *switches = hy_yaml_get(hy_yaml_get(network, "tree"), "switches");
	const hy_yaml_node *links = hy_yaml_get(network, "links");
	hy_sched__sharing sharing = {.scope = "network"};
	scene s;
	if (network == NULL) {
		connect_by_default(r);
		return;
	}
	const uint32_t faults = r->document->fault_count;
	if (scene_init(r, switches == NULL ? 0 : switches->count, &s)) {
		add_switches(r, &s, switches);
		for (hy_yaml_node *map = switches == NULL ? NULL : switches->first; map != NULL; map = map->next)
			if (!map->bad && !r->cluster->no_memory) read_switch(r, &s, map);
		for (hy_yaml_node *map = links == NULL ? NULL : links->first; map != NULL; map = map->next)
			if (!map->bad && !r->cluster->no_memory) read_link(r, &s, &sharing, map);
		if (faults == r->document->fault_count && !r->cluster->no_memory) check_reach(r, &s, network);
	}
	scene_finish(&s);
}
