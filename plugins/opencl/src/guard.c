/* What PoCL and the LLVM in it leave behind in a process when they start and when they compile: signal handlers, and a
 * variable for the hwloc they hold. A plugin changes neither (rule P7), so both are put back. Only what is known to be
 * theirs is touched: the host may change its own meanwhile. */
#include "opencl.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static const char variable[] = "HWLOC_PLUGINS_PATH";

static bool is_of_driver(const struct sigaction *action)
{
	static const char *const libraries[] = {"libLLVM", "libpocl", "libclang"};
	Dl_info info;
	void *handler;
	if (action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN) return false;
	memcpy(&handler, &action->sa_handler, sizeof(handler));
	if (dladdr(handler, &info) == 0 || info.dli_fname == NULL) return false;
	for (size_t i = 0; i < sizeof(libraries) / sizeof(*libraries); i++)
		if (strstr(info.dli_fname, libraries[i]) != NULL) return true;
	return false;
}

void hy_opencl_guard_enter(hy_opencl_plugin *plugin)
{
	pthread_mutex_lock(&plugin->guard.lock);
	if (plugin->guard.depth++ == 0) {
		plugin->guard.had_variable = getenv(variable) != NULL;
		for (int i = 1; i < NSIG; i++)
			plugin->guard.is_known[i] = sigaction(i, NULL, &plugin->guard.actions[i]) == 0 &&
			                            !is_of_driver(&plugin->guard.actions[i]);
	}
	pthread_mutex_unlock(&plugin->guard.lock);
}

void hy_opencl_guard_leave(hy_opencl_plugin *plugin)
{
	pthread_mutex_lock(&plugin->guard.lock);
	if (--plugin->guard.depth == 0) {
		if (!plugin->guard.had_variable) unsetenv(variable);
		for (int i = 1; i < NSIG; i++) {
			struct sigaction now;
			if (plugin->guard.is_known[i] && sigaction(i, NULL, &now) == 0 && is_of_driver(&now))
				sigaction(i, &plugin->guard.actions[i], NULL);
		}
	}
	pthread_mutex_unlock(&plugin->guard.lock);
}
