/* A loaded plugin: one per library and process, shared by the machines that use it. */
#ifndef HY_HAL_PLUGIN_H
#define HY_HAL_PLUGIN_H

#include "calls.h"
#include "log.h"
#include "ticket.h"

#include <pthread.h>

typedef struct hy_hal__plugin hy_hal__plugin;

/* A machine's interest in a plugin's log lines; owned by the machine. */
typedef struct hy_hal__plugin_user hy_hal__plugin_user;
struct hy_hal__plugin_user {
	hy_hal__plugin_user *next;
	const hy_hal__log *log;
};

struct hy_hal__plugin {
	hy_hal__plugin *next; /* in the list of this process */
	void *library;
	uint32_t user_count;
	uint32_t filled_minor;
	hy_plugin table; /* our own; every entry can be called */
	bool has_buffers, has_queues, has_programs;
	char name[64], version[64];
	hy_host services;
	hy_hal__tickets tickets;
	pthread_mutex_t lock; /* guards users and lost_text */
	hy_hal__plugin_user *users;
	atomic_bool is_lost; /* after a failure of scope PROCESS */
	char lost_text[HY_ERROR_TEXT_BYTES];
};

/* Opens the library and enters the plugin, or finds it already entered. Fails: what dylib_open does; INCOMPATIBLE for a
 * wrong ABI or an incoherent table; what the entry answers. Threads: any. */
hy_status hy_hal__plugin_load(const char *library, hy_hal__plugin_user *user, hy_hal__plugin **out_plugin,
                              hy_error *error);

/* The library is in this process and entered: nothing more can be learned by a probe. Threads: any. */
bool hy_hal__plugin_is_loaded(const char *library);

/* The last user of an unloadable plugin shuts it down and closes its library; other plugins stay as they are until the
 * process ends, since an entry is called once per process. */
void hy_hal__plugin_unload(hy_hal__plugin *plugin, hy_hal__plugin_user *user);

/* Calls entry with a table of our size, and turns the answer into one whose every entry can be called. plugin->services
 * must be ready. Fails: as the entry; INCOMPATIBLE when the table breaks a rule. */
hy_status hy_hal__plugin_enter(hy_hal__plugin *plugin, hy_plugin_entry entry, hy_error *error);

/* A line in the log of every machine that uses the plugin. Threads: any. */
void hy_hal__plugin_log(hy_hal__plugin *plugin, int32_t level, const char *format, ...) HY_PRINTF(3, 4);

/* Marks all devices of the plugin unusable. Threads: any. */
void hy_hal__plugin_lose(hy_hal__plugin *plugin, const char *text);

#endif
