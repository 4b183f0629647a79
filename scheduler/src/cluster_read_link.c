/* Links inside nodes. */
#include "cluster_read.h"

#include "cluster_range.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static void tell_no_name(hy_sched__reading *r, hy_yaml_node *node, const char *name, uint32_t count,
                         const char *const *names, const char *missing)
{
	const char *near = hy_yaml_nearest(name, count, names);
	if (near != NULL)
		hy_yaml_fault_node(r->document, node, "%s '%.64s': did you mean '%s'?", missing, name, near);
	else
		hy_yaml_fault_node(r->document, node, "%s '%.64s'", missing, name);
}

bool hy_sched__read_names(hy_sched__reading *r, hy_yaml_node *node, uint32_t count, const char *const *names,
                          bool *out_marks, const char *missing)
{
	hy_sched__range wanted;
	if (node == NULL || node->bad) return false;
	const char *fault = hy_sched__range_expand(node->text, &wanted);
	if (fault != NULL) {
		hy_yaml_fault_node(r->document, node, "'%.64s' %s", node->text, fault);
		return false;
	}
	const bool glob = strpbrk(node->text, "*?") != NULL;
	for (uint32_t i = 0; i < wanted.count && !node->bad; i++) {
		bool found = false;
		for (uint32_t n = 0; n < count; n++) {
			const bool fits = glob ? fnmatch(wanted.names[i], names[n], FNM_NOESCAPE) == 0
			                       : strcmp(wanted.names[i], names[n]) == 0;
			out_marks[n] |= fits;
			found |= fits;
		}
		if (!found) tell_no_name(r, node, wanted.names[i], count, names, missing);
	}
	hy_sched__range_finish(&wanted);
	return !node->bad;
}

/* ---- numbers and channels ---- */

void hy_sched__read_link_numbers(const hy_yaml_node *entry, const char *class_name, hy_sched_cluster_link *out_link)
{
	double bonds;
	const hy_sched__class *class = hy_sched__class_find(hy_yaml_text(entry, "class", class_name), &bonds);
	const hy_yaml_node *bandwidth = hy_yaml_get(entry, "bandwidth"), *latency = hy_yaml_get(entry, "latency");
	*out_link = (hy_sched_cluster_link){
		.staged = hy_yaml_number(entry, "path", 0) == 1,
		.bytes_per_s = {class->bytes_per_s * bonds, HY_SCHED_DEFAULT},
		.latency_ns = {class->latency_ns, HY_SCHED_DEFAULT},
	};
	snprintf(out_link->class_name, sizeof(out_link->class_name), "%s", hy_yaml_text(entry, "class", class_name));
	if (bandwidth != NULL) out_link->bytes_per_s = (hy_sched_number){bandwidth->number, HY_SCHED_GIVEN};
	if (latency != NULL) out_link->latency_ns = (hy_sched_number){latency->number, HY_SCHED_GIVEN};
}

static hy_sched__shared *find_shared(hy_sched__reading *r, hy_sched__sharing *sharing, hy_yaml_node *entry)
{
	hy_yaml_node *node = hy_yaml_get(entry, "shared");
	const bool half = hy_yaml_number(entry, "duplex", 0) == 1;
	if (node == NULL || sharing == NULL) return NULL;
	for (uint32_t i = 0; i < sharing->count; i++) {
		hy_sched__shared *shared = &sharing->items[i];
		if (strcmp(shared->name, node->text) != 0) continue;
		if (shared->half != half)
			hy_yaml_fault_node(r->document, node, "'%s' is %s duplex before: links that share are alike",
			                   shared->name, shared->half ? "half" : "full");
		return shared;
	}
	if (sharing->count == sizeof(sharing->items) / sizeof(sharing->items[0])) {
		hy_yaml_fault_node(r->document, node, "more than 256 shared names");
		return NULL;
	}
	hy_sched__shared *shared = &sharing->items[sharing->count++];
	const char *name = hy_sched__cluster_text(r->cluster, "%s/%s", sharing->scope, node->text);
	*shared = (hy_sched__shared){.name = node->text, .half = half};
	shared->forward = hy_sched__cluster_add_channel(r->cluster, name);
	shared->back = half ? shared->forward
	                    : hy_sched__cluster_add_channel(
				      r->cluster,
				      hy_sched__cluster_text(r->cluster, "%s/-%s", sharing->scope, node->text));
	return shared;
}

static uint32_t own_channel(hy_sched__cluster *cluster, uint32_t from, uint32_t to, const char *way)
{
	if (cluster->no_memory) return HY_SCHED_CLUSTER_NONE;
	return hy_sched__cluster_add_channel(
		cluster,
		hy_sched__cluster_text(cluster, "%s%s%s", cluster->places[from].name, way, cluster->places[to].name));
}

void hy_sched__read_pair(hy_sched__reading *r, hy_sched__sharing *sharing, hy_yaml_node *entry, uint32_t from,
                         uint32_t to, const hy_sched_cluster_link *model)
{
	hy_sched_cluster_link link = *model;
	const bool half = hy_yaml_number(entry, "duplex", 0) == 1;
	const bool forward = hy_yaml_number(entry, "direction", 0) == 1;
	const hy_sched__shared *shared = find_shared(r, sharing, entry);
	if (r->cluster->shown.link_count + 2 > HY_SCHED_CLUSTER_LINKS) {
		hy_yaml_fault_at(r->document, entry->line, entry->column, "more than %u links", HY_SCHED_CLUSTER_LINKS);
		r->cluster->no_memory = true; /* no use to go on */
		return;
	}
	link.from = from;
	link.to = to;
	link.channel = shared != NULL ? shared->forward : own_channel(r->cluster, from, to, half ? "-" : ">");
	hy_sched__cluster_add_link(r->cluster, &link);
	if (forward) return;
	if (shared != NULL)
		link.channel = shared->back;
	else if (!half)
		link.channel = own_channel(r->cluster, to, from, ">");
	link.from = to;
	link.to = from;
	hy_sched__cluster_add_link(r->cluster, &link);
}

/* ---- one node ---- */

/* The places of a node by their names there: host memories, then devices. */
typedef struct scene {
	uint32_t node, count;
	const char **names; /* "numa:0", "cuda:0" */
	uint32_t *places;
	bool *left, *right; /* marked by the two ends */
	uint32_t *lines; /* of the entry that linked a pair, [from * count + to]; 0 none */
} scene;

static bool scene_init(hy_sched__reading *r, uint32_t index, scene *s)
{
	const hy_sched_cluster_node *node = &r->cluster->nodes[index];
	const uint32_t count = node->numa_count + node->device_count;
	*s = (scene){.node = index, .count = count};
	s->names = calloc(count, sizeof(*s->names));
	s->places = calloc(count, sizeof(*s->places));
	s->left = calloc(2 * count, sizeof(*s->left));
	s->lines = calloc((size_t)count * count, sizeof(*s->lines));
	if (s->names == NULL || s->places == NULL || s->left == NULL || s->lines == NULL) {
		r->cluster->no_memory = true;
		return false;
	}
	s->right = s->left + count;
	for (uint32_t i = 0; i < node->numa_count; i++) {
		s->names[i] = strchr(r->cluster->places[node->first_place + i].name, '/') + 1;
		s->places[i] = node->first_place + i;
	}
	for (uint32_t i = 0; i < node->device_count; i++) {
		const hy_sched_cluster_device *device = &r->cluster->devices[node->first_device + i];
		s->names[node->numa_count + i] = device->id;
		s->places[node->numa_count + i] = device->place;
	}
	return true;
}

static void scene_finish(scene *s)
{
	free(s->names);
	free(s->places);
	free(s->left);
	free(s->lines);
}

/* Marks what one end names. "host" is every memory of the host; a glob without ':' is of devices only. */
static bool mark(hy_sched__reading *r, const scene *s, hy_yaml_node *end, bool *marks)
{
	char missing[128];
	const hy_sched_cluster_node *node = &r->cluster->nodes[s->node];
	memset(marks, 0, s->count * sizeof(*marks));
	if (end == NULL || end->bad) return false;
	if (strcmp(end->text, "host") == 0) {
		memset(marks, 1, node->numa_count * sizeof(*marks));
		return true;
	}
	snprintf(missing, sizeof(missing), "%.64s has no", node->name);
	const bool found = hy_sched__read_names(r, end, s->count, s->names, marks, missing);
	if (strcmp(end->text, "*") == 0) memset(marks, 0, node->numa_count * sizeof(*marks));
	return found;
}

/* Links the pairs of an entry that no entry before linked; answers how many there were and how many were new. */
static uint32_t link_pairs(hy_sched__reading *r, const scene *s, hy_sched__sharing *sharing, hy_yaml_node *entry,
                           const hy_sched_cluster_link *model, uint32_t *out_pairs, uint32_t *out_before)
{
	const bool forward = hy_yaml_number(entry, "direction", 0) == 1;
	uint32_t fresh = 0;
	for (uint32_t a = 0; a < s->count; a++) {
		for (uint32_t b = 0; b < s->count && s->left[a]; b++) {
			uint32_t *there = &s->lines[a * s->count + b], *back = &s->lines[b * s->count + a];
			if (!s->right[b] || s->places[a] == s->places[b] || r->cluster->no_memory) continue;
			(*out_pairs)++;
			if (*there != 0 || (!forward && *back != 0)) {
				if (*there != entry->line) *out_before = *there != 0 ? *there : *back;
				continue;
			}
			*there = entry->line;
			if (!forward) *back = entry->line;
			fresh++;
			hy_sched__read_pair(r, sharing, entry, s->places[a], s->places[b], model);
		}
	}
	return fresh;
}

static void read_entry(hy_sched__reading *r, const scene *s, hy_sched__sharing *sharing, hy_yaml_node *entry)
{
	hy_yaml_node *between = hy_yaml_get(entry, "between");
	hy_sched_cluster_link model;
	uint32_t pairs = 0, before = 0;
	if (between == NULL) return;
	const bool left = mark(r, s, between->first, s->left);
	const bool right = mark(r, s, between->first->next, s->right);
	if (!left || !right) return;
	hy_sched__read_link_numbers(entry, "PHB", &model);
	const uint32_t fresh = link_pairs(r, s, sharing, entry, &model, &pairs, &before);
	if (fresh > 0 || !hy_sched__reading_is_first(r, s->node)) return;
	if (pairs == 0)
		hy_yaml_fault_node(r->document, between, "no two places: both ends name the same memory");
	else
		hy_yaml_fault_node(r->document, between, "line %u says it all before: put the special case first",
		                   before);
}

void hy_sched__read_links(hy_sched__reading *r)
{
	for (uint32_t n = 0; n < r->cluster->shown.node_count && !r->cluster->no_memory; n++) {
		const hy_yaml_node *links = hy_yaml_get(r->nodes[n], "links");
		hy_sched__sharing sharing = {.scope = r->cluster->nodes[n].name};
		scene s;
		if (links == NULL || hy_sched__reading_is_settled(r, n)) continue;
		if (scene_init(r, n, &s))
			for (hy_yaml_node *entry = links->first; entry != NULL; entry = entry->next)
				if (!entry->bad && !r->cluster->no_memory) read_entry(r, &s, &sharing, entry);
		scene_finish(&s);
	}
}
