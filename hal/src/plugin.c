/* Loading a plugin: its table copied and completed with stubs, the rules it must keep, one record per process. */
#include "plugin.h"

#include "dylib.h"
#include "host.h"
#include "stubs.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static hy_hal__plugin *registry; /* every plugin this process has entered */

static bool is_name(const char *name)
{
	if (name == NULL || name[0] == '\0' || strlen(name) >= sizeof(((hy_hal__plugin *)0)->name)) return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")] == '\0';
}

/* NULL when the calls that only make sense together are there together; else what is missing. */
static const char *missing_call(const hy_plugin *t)
{
	if (t->device_count == NULL || t->device_info == NULL) return "device_count and device_info are required";
	if (t->device_open == NULL) return "device_open is required";
	if (t->device_close == NULL && (t->buffer_alloc != NULL || t->queue_open != NULL || t->compile != NULL))
		return "device_close is missing";
	if ((t->buffer_alloc != NULL) != (t->buffer_free != NULL))
		return "buffer_alloc and buffer_free belong together";
	if (t->buffer_alloc != NULL && t->heap_info == NULL) return "buffer_alloc needs heap_info";
	if ((t->queue_open != NULL) != (t->queue_close != NULL) || (t->queue_open != NULL) != (t->submit != NULL))
		return "queue_open, queue_close and submit belong together";
	if ((t->compile != NULL) != (t->exe_free != NULL) || (t->compile != NULL) != (t->exe_info != NULL) ||
	    (t->compile != NULL) != (t->query != NULL))
		return "query, compile, exe_info and exe_free belong together";
	if (t->compile != NULL && t->queue_open == NULL) return "compile needs queues to run on";
	return NULL;
}

static hy_status check_table(hy_plugin *table, hy_error *error)
{
	const uint32_t least = offsetof(hy_plugin, device_open) + sizeof(table->device_open);
	if (table->size > sizeof(*table) || table->size < least)
		return hy_error_set(error, HY_INCOMPATIBLE,
		                    "filled %u bytes of a table of %zu, at least %u are needed: use HY_PUT (P1)",
		                    table->size, sizeof(*table), least);
	memset((char *)table + table->size, 0, sizeof(*table) - table->size);
	if (!is_name(table->name))
		return hy_error_set(error, HY_INCOMPATIBLE, "its name is missing or has other than letters, digits, -");
	const char *missing = missing_call(table);
	if (missing != NULL) return hy_error_set(error, HY_INCOMPATIBLE, "incoherent table: %s", missing);
	return HY_OK;
}

hy_status hy_hal__plugin_enter(hy_hal__plugin *plugin, hy_plugin_entry entry, hy_error *error)
{
	hy_plugin *table = &plugin->table;
	*table = (hy_plugin){.size = sizeof(*table), .abi_minor = HY_ABI_MINOR};
	hy_hal__call call;
	hy_hal__call_begin(&call);
	hy_status status = entry(&plugin->services, table);
	status = hy_hal__call_end(&call, status, "plugin", "entry", error);
	if (status != HY_OK) return status;
	status = check_table(table, error);
	if (status != HY_OK) return status;
	plugin->filled_minor = table->abi_minor;
	plugin->has_buffers = table->buffer_alloc != NULL;
	plugin->has_queues = table->queue_open != NULL;
	plugin->has_programs = table->compile != NULL;
	hy_hal__text_copy(plugin->name, sizeof(plugin->name), table->name, sizeof(plugin->name));
	hy_hal__text_copy(plugin->version, sizeof(plugin->version), table->version, sizeof(plugin->version));
	hy_hal__stubs_fill(table);
	return HY_OK;
}

static hy_hal__plugin *find(const void *library)
{
	for (hy_hal__plugin *plugin = registry; plugin != NULL; plugin = plugin->next)
		if (plugin->library == library) return plugin;
	return NULL;
}

static void destroy(hy_hal__plugin *plugin)
{
	if (plugin == NULL) return;
	hy_hal__tickets_finish(&plugin->tickets);
	pthread_mutex_destroy(&plugin->lock);
	hy_hal__dylib_close(plugin->library);
	free(plugin);
}

/* take_library belongs to the plugin, also when this fails. */
static hy_status create(void *take_library, hy_hal__plugin_user *user, hy_hal__plugin **out_plugin, hy_error *error)
{
	hy_hal__plugin *plugin = calloc(1, sizeof(*plugin));
	if (plugin == NULL) {
		hy_hal__dylib_close(take_library);
		return hy_error_set(error, HY_NO_MEMORY, "host memory exhausted");
	}
	plugin->library = take_library;
	plugin->users = user;
	pthread_mutex_init(&plugin->lock, NULL);
	atomic_init(&plugin->is_lost, false);
	hy_hal__host_init(plugin, user->log->fn == NULL ? HY_LOG_ERROR + 1 : user->log->level);
	const hy_plugin_entry entry = hy_hal__dylib_entry(take_library);
	hy_status status = hy_hal__tickets_init(&plugin->tickets);
	if (status == HY_OK && entry == NULL)
		status = hy_error_set(error, HY_INCOMPATIBLE, "does not export %s: built for another ABI?",
		                      HY_PLUGIN_ENTRY);
	if (status == HY_OK) status = hy_hal__plugin_enter(plugin, entry, error);
	if (status != HY_OK) {
		destroy(plugin);
		return status;
	}
	*out_plugin = plugin;
	return HY_OK;
}

hy_status hy_hal__plugin_load(const char *library, hy_hal__plugin_user *user, hy_hal__plugin **out_plugin,
                              hy_error *error)
{
	void *handle = NULL;
	hy_hal__plugin *plugin = NULL;
	pthread_mutex_lock(&registry_lock);
	hy_status status = hy_hal__dylib_open(library, &handle, error);
	if (status != HY_OK) goto done;
	plugin = find(handle);
	if (plugin != NULL) {
		hy_hal__dylib_close(handle); /* the record holds one already */
		pthread_mutex_lock(&plugin->lock);
		user->next = plugin->users;
		plugin->users = user;
		pthread_mutex_unlock(&plugin->lock);
	} else {
		user->next = NULL;
		status = create(handle, user, &plugin, error);
		if (status != HY_OK) goto done;
		plugin->next = registry;
		registry = plugin;
	}
	plugin->user_count++;
	*out_plugin = plugin;
done:
	pthread_mutex_unlock(&registry_lock);
	return status;
}

bool hy_hal__plugin_is_loaded(const char *library)
{
	pthread_mutex_lock(&registry_lock);
	void *handle = hy_hal__dylib_find(library);
	const bool is_loaded = handle != NULL && find(handle) != NULL;
	hy_hal__dylib_close(handle);
	pthread_mutex_unlock(&registry_lock);
	return is_loaded;
}

static void remove_user(hy_hal__plugin *plugin, const hy_hal__plugin_user *user)
{
	pthread_mutex_lock(&plugin->lock);
	hy_hal__plugin_user **link = &plugin->users;
	while (*link != NULL && *link != user)
		link = &(*link)->next;
	if (*link != NULL) *link = user->next;
	pthread_mutex_unlock(&plugin->lock);
}

void hy_hal__plugin_unload(hy_hal__plugin *plugin, hy_hal__plugin_user *user)
{
	if (plugin == NULL) return;
	pthread_mutex_lock(&registry_lock);
	const bool is_last = --plugin->user_count == 0 && (plugin->table.flags & HY_PLUGIN_UNLOADABLE) != 0;
	if (is_last) {
		plugin->table.shutdown(plugin->table.ctx);
		hy_hal__plugin **link = &registry;
		while (*link != plugin)
			link = &(*link)->next;
		*link = plugin->next;
	}
	remove_user(plugin, user);
	if (is_last) destroy(plugin);
	pthread_mutex_unlock(&registry_lock);
}

void hy_hal__plugin_log(hy_hal__plugin *plugin, int32_t level, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	pthread_mutex_lock(&plugin->lock);
	for (const hy_hal__plugin_user *user = plugin->users; user != NULL; user = user->next)
		hy_hal__log_write(user->log, level, plugin->name[0] != '\0' ? plugin->name : "plugin", "%s", text);
	pthread_mutex_unlock(&plugin->lock);
}

void hy_hal__plugin_lose(hy_hal__plugin *plugin, const char *text)
{
	pthread_mutex_lock(&plugin->lock);
	if (!atomic_load(&plugin->is_lost))
		hy_hal__text_copy(plugin->lost_text, sizeof(plugin->lost_text), text, SIZE_MAX);
	atomic_store(&plugin->is_lost, true);
	pthread_mutex_unlock(&plugin->lock);
}
