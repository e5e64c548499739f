// SPDX-License-Identifier: GPL-2.0
/*
 * Load and unload, and the device /dev/ipcbox.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "box.h"
#include "ioctl.h"
#include "limits.h"
#include "message.h"
#include "object.h"
#include "process.h"
#include "region.h"

static int device_open(struct inode *inode, struct file *file)
{
	struct ipcbox_box *box = ipcbox_box_get_current();

	file->private_data = ipcbox_process_attach(box);
	if (file->private_data)
		return 0;
	ipcbox_box_put(box);
	return -ENOMEM;
}

static int device_release(struct inode *inode, struct file *file)
{
	struct ipcbox_box *box = ipcbox_process_box(file);

	ipcbox_process_detach(file->private_data);
	ipcbox_box_put(box);
	return 0;
}

static void device_fill_usage(struct ipcbox_box *box, struct ipcbox_info *info)
{
	struct ipcbox_user *user;

	mutex_lock(&box->lock);
	user = ipcbox_user_find_locked(box, ipcbox_user_current());
	if (user) {
		info->user_bytes_used = atomic64_read(&user->bytes);
		info->user_objects_used = user->objects;
		info->user_mapped_bytes_used = user->mapped_bytes;
	}
	info->box_objects_used = box->count;
	mutex_unlock(&box->lock);
	info->discarded = atomic64_read(&box->discarded);
}

static long device_info(struct ipcbox_invocation *call)
{
	struct ipcbox_info *info = call->request;
	u32 size = info->size;

	if (info->flags || info->pad)
		return -EINVAL;
	*info = (struct ipcbox_info){
		.size = size,
		.abi = IPCBOX_ABI,
		.features = IPCBOX_FEATURE_MESSAGES |
			    IPCBOX_FEATURE_EXCHANGES |
			    IPCBOX_FEATURE_LIFETIME | IPCBOX_FEATURE_SELECT |
			    IPCBOX_FEATURE_NOTIFY | IPCBOX_FEATURE_PROCESS |
			    IPCBOX_FEATURE_STREAM | IPCBOX_FEATURE_POOL |
			    IPCBOX_FEATURE_REGION |
			    IPCBOX_FEATURE_CHANNEL |
			    IPCBOX_FEATURE_DESCRIPTORS | IPCBOX_FEATURE_SPIN |
			    IPCBOX_FEATURE_LOOK |
			    IPCBOX_FEATURE_PLAIN,
	};
	ipcbox_limits_tell(info);
	device_fill_usage(ipcbox_process_box(call->file), info);
	return 0;
}

static const struct ipcbox_ioctl device_ioctls[] = {
	IPCBOX_IOCTL(IPCBOX_IOC_INFO, ipcbox_info, user_spare_bytes,
		     device_info, .answers = true),
	IPCBOX_IOCTL(IPCBOX_IOC_CREATE, ipcbox_create, pad2,
		     ipcbox_object_create, .answers = true, .opens = true),
	IPCBOX_IOCTL(IPCBOX_IOC_OPEN, ipcbox_open, id, ipcbox_object_open,
		     .answers = true, .opens = true),
	IPCBOX_IOCTL(IPCBOX_IOC_UNLINK, ipcbox_unlink, name,
		     ipcbox_object_unlink),
	IPCBOX_IOCTL(IPCBOX_IOC_LIST, ipcbox_list, pad, ipcbox_object_list,
		     .answers = true),
};

static long device_ioctl(struct file *file, unsigned int command,
			 unsigned long argument)
{
	return ipcbox_ioctl_serve(file, device_ioctls,
				  ARRAY_SIZE(device_ioctls), command,
				  (void __user *)argument);
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ipcbox",
	.fops = &device_operations,
	.mode = 0660,
};

static int __init ipcbox_init(void)
{
	int error;

	error = ipcbox_message_init();
	if (error)
		return error;
	error = ipcbox_region_init();
	if (error)
		goto messages;
	error = ipcbox_box_register();
	if (error)
		goto regions;
	error = misc_register(&device);
	if (!error)
		return 0;
	ipcbox_box_unregister();
regions:
	ipcbox_region_exit();
messages:
	ipcbox_message_exit();
	return error;
}
module_init(ipcbox_init);

static void __exit ipcbox_exit(void)
{
	misc_deregister(&device);
	ipcbox_box_unregister();
	ipcbox_region_exit();
	ipcbox_message_exit();
}
module_exit(ipcbox_exit);

MODULE_DESCRIPTION("Mailboxes and message queues behind /dev/ipcbox");
MODULE_AUTHOR("The ipcbox authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(IPCBOX_VERSION);
