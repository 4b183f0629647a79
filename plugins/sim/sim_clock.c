/* The time of simulated devices. */
#include "sim_clock.h"

#include "sim.h"
#include "sim_queue.h"

static uint64_t clock_now(void *ctx)
{
	hy_sim_plugin *plugin = ctx;
	pthread_mutex_lock(&plugin->lock);
	const uint64_t now_ns = plugin->now_ns;
	pthread_mutex_unlock(&plugin->lock);
	return now_ns;
}

static void clock_advance(void *ctx, uint64_t ns)
{
	hy_sim_plugin *plugin = ctx;
	pthread_mutex_lock(&plugin->lock);
	plugin->now_ns += ns;
	pthread_mutex_unlock(&plugin->lock);
	hy_sim_queue_settle(plugin);
}

static void clock_set_auto(void *ctx, uint32_t on)
{
	hy_sim_plugin *plugin = ctx;
	pthread_mutex_lock(&plugin->lock);
	plugin->is_auto = on != 0;
	pthread_mutex_unlock(&plugin->lock);
	hy_sim_queue_settle(plugin);
}

static uint32_t clock_pending(void *ctx)
{
	hy_sim_plugin *plugin = ctx;
	uint32_t count = 0;
	pthread_mutex_lock(&plugin->lock);
	for (const hy_device *device = plugin->devices; device != NULL; device = device->next)
		for (const hy_sim_job *job = device->jobs; job != NULL; job = job->next)
			count++;
	pthread_mutex_unlock(&plugin->lock);
	return count;
}

void hy_sim_clock_init(hy_sim_plugin *plugin)
{
	const hy_sim_clock clock = {
		.size = sizeof(clock),
		.ctx = plugin,
		.now = clock_now,
		.advance = clock_advance,
		.set_auto = clock_set_auto,
		.pending = clock_pending,
	};
	plugin->clock = clock;
	plugin->now_ns = 1000000000u;
}
