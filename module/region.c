// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: shared memory that handles map as their rights allow.
 *
 * The memory is a shmem file, so that it may be swapped, and everything that
 * works with shared memory works with it. The file itself is in nobody's hands:
 * mappings are made through handles, whose modes are their rights, and only
 * then given the shmem file. It refuses to be mapped as itself, which is what
 * remap_file_pages(2) would do without looking at any handle. Nor has it holes:
 * making them would wait for faults that do not wait for it.
 *
 * Mappings keep the object, as handles do, so that memory which is in use is
 * charged to somebody.
 */
#include <linux/fs.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "box.h"
#include "compat.h"
#include "limits.h"
#include "locking.h"
#include "region.h"
#include "trace.h"

/* The functions of shmem, and what is put over them; made once. */
static struct file_operations region_file_operations;
static struct vm_operations_struct region_mapping_operations;
static const struct file_operations *region_shmem_file;
static const struct vm_operations_struct *region_shmem_mapping;
static DEFINE_MUTEX(region_operations_lock);

/*
 * Where the files of huge pages are: a mount of our own, as to shared memory at
 * large most systems give none. NULL where the kernel has no huge pages.
 */
static struct vfsmount *region_huge_mount;

/*
 * Mappings
 */

static bool region_may_write(const struct vm_area_struct *area)
{
	return (area->vm_flags & (VM_SHARED | VM_MAYWRITE)) ==
	       (VM_SHARED | VM_MAYWRITE);
}

/* A mapping begins: a new one, or one that is split off, moved or inherited. */
static void region_mapping_open(struct vm_area_struct *area)
{
	struct ipcbox_region *region = area->vm_private_data;

	if (region_may_write(area))
		atomic_inc(&region->writable);
	atomic_inc(&region->mappings);
	ipcbox_object_pin_mapped(&region->object);
}

static void region_mapping_close(struct vm_area_struct *area)
{
	struct ipcbox_region *region = area->vm_private_data;

	if (region_may_write(area))
		atomic_dec(&region->writable);
	atomic_dec(&region->mappings);
	ipcbox_object_unpin_mapped(&region->object);
}

/*
 * A page that is not there yet is charged to the creator of the region, not to
 * who happens to touch it first. Where these are the same, shmem does all, huge
 * pages too.
 */
static vm_fault_t region_fault(struct vm_fault *fault)
{
	struct ipcbox_region *region = fault->vma->vm_private_data;
	struct address_space *mapping = region->file->f_mapping;
	struct mem_cgroup *toucher, *previous;
	struct page *page;

	toucher = get_mem_cgroup_from_mm(fault->vma->vm_mm);
	mem_cgroup_put(toucher);
	if (toucher != region->memcg) {
		previous = set_active_memcg(region->memcg);
		page = shmem_read_mapping_page(mapping, fault->pgoff);
		set_active_memcg(previous);
		/* To be out of memory that is not one's own is no reason to die. */
		if (IS_ERR(page))
			return VM_FAULT_SIGBUS;
		put_page(page);
	}
	return region_shmem_mapping->fault(fault);
}

/*
 * Is anything mapped from the page before @first to the one after @last, as far as
 * the page table that these share goes? A hint, read without its lock: RCU keeps
 * the table.
 */
static bool region_is_mapped_near(const struct vm_fault *fault, pgoff_t first,
				  pgoff_t last)
{
	struct vm_area_struct *area = fault->vma;
	unsigned long table = fault->address & PMD_MASK;
	pgoff_t at = linear_page_index(area, max(table, area->vm_start));
	pgoff_t end = linear_page_index(area, min(table + PMD_SIZE - 1,
						  area->vm_end - 1));
	pmd_t pmd = READ_ONCE(*fault->pmd);
	pte_t *entry;

	if (pmd_none(pmd) || pmd_bad(pmd))
		return false;
	at = max(at + 1, first) - 1;
	end = min(end, last + 1);
	entry = pte_offset_kernel(&pmd, area->vm_start +
				  ((at - area->vm_pgoff) << PAGE_SHIFT));
	for (; at <= end; at++, entry++)
		if (!pte_none(READ_ONCE(*entry)))
			return true;
	return false;
}

/*
 * Pages that are there are mapped together with their neighbours, but not at the
 * first touch among them: who looks at one page of a region pays for one, when it
 * maps and when it unmaps. Who reads on, either way, has one fault more in a page
 * table's range, and who jumps about has two instead of one among neighbours.
 */
static vm_fault_t region_map_pages(struct vm_fault *fault, pgoff_t first,
				   pgoff_t last)
{
	bool alone;

	rcu_read_lock();
	alone = !IS_ENABLED(CONFIG_HIGHPTE) &&
		!region_is_mapped_near(fault, first, last);
	rcu_read_unlock();
	if (alone)
		return region_shmem_mapping->map_pages(fault, fault->pgoff,
						       fault->pgoff);
	return region_shmem_mapping->map_pages(fault, first, last);
}

/* Once a mapping of shmem has been seen. */
static void region_copy_mapping_operations(const struct vm_area_struct *area)
{
	mutex_lock(&region_operations_lock);
	if (!region_shmem_mapping) {
		region_mapping_operations = *area->vm_ops;
		region_mapping_operations.open = region_mapping_open;
		region_mapping_operations.close = region_mapping_close;
		region_mapping_operations.fault = region_fault;
		region_mapping_operations.map_pages = region_map_pages;
		region_shmem_mapping = area->vm_ops;
	}
	mutex_unlock(&region_operations_lock);
}

static int region_check_mapping(const struct ipcbox_handle *handle,
				struct vm_area_struct *area)
{
	u64 pages = handle->object->mapped_bytes >> PAGE_SHIFT;

	if (!(handle->rights & IPCBOX_RIGHT_RECEIVE))
		return -EACCES;
	if (area->vm_flags & VM_SHARED && area->vm_flags & VM_WRITE &&
	    !(handle->rights & IPCBOX_RIGHT_SEND))
		return -EACCES;
	if (area->vm_pgoff > pages || vma_pages(area) > pages - area->vm_pgoff)
		return -EINVAL;
	return 0;
}

/*
 * Takes from the mapping what it may never become, and counts it where it may
 * write, which sealing waits for; see locking.h.
 */
static int region_count_writable(struct ipcbox_handle *handle,
				 struct vm_area_struct *area)
{
	struct ipcbox_region *region = ipcbox_region_of(handle->object);

	if (!region_may_write(area))
		return 0;
	if (handle->rights & IPCBOX_RIGHT_SEND &&
	    atomic_inc_unless_negative(&region->writable))
		return 0;
	if (area->vm_flags & VM_WRITE)
		return -EPERM;
	ipcbox_vm_flags_clear(area, VM_MAYWRITE);
	return 0;
}

/*
 * mmap(2): the handle's file has the modes that its rights are, so the kernel
 * has refused already what these refuse, and will refuse later what the mapping
 * may not become.
 */
static int region_mmap(struct ipcbox_handle *handle,
		       struct vm_area_struct *area)
{
	struct ipcbox_region *region = ipcbox_region_of(handle->object);
	int error;

	error = region_check_mapping(handle, area);
	if (error)
		return error;
	error = region_count_writable(handle, area);
	if (error)
		return error;
	vma_set_file(area, region->file);
	error = region_shmem_file->mmap(region->file, area);
	if (error) {
		if (region_may_write(area))
			atomic_dec(&region->writable);
		return error;
	}
	region_copy_mapping_operations(area);
	area->vm_ops = &region_mapping_operations;
	area->vm_private_data = region;
	if (region->huge)
		ipcbox_vm_flags_set(area, VM_HUGEPAGE);
	atomic_inc(&region->mappings);
	ipcbox_object_pin_mapped(&region->object);
	return 0;
}

/* Where a mapping goes, for huge pages to be of use. */
static unsigned long region_get_area(struct ipcbox_handle *handle,
				     unsigned long address,
				     unsigned long length, unsigned long page,
				     unsigned long flags)
{
	const struct ipcbox_region *region = ipcbox_region_of(handle->object);

	if (!region->huge)
		return ipcbox_get_unmapped_area(address, length, page, flags);
	return ipcbox_get_huge_area(region->file, address, length, page, flags);
}

static int region_refuse_mmap(struct file *file, struct vm_area_struct *area)
{
	return -EPERM;
}

/*
 * The object's functions
 */

static bool region_request_valid(const struct ipcbox_create *request)
{
	return (request->mapped_bytes || request->semaphores) &&
	       request->semaphores <= IPCBOX_SEMAPHORES_MAX &&
	       !request->max_messages && !request->max_bytes &&
	       !request->max_message_bytes && !request->max_descriptors &&
	       !(request->flags & IPCBOX_CREATE_STREAM);
}

static struct ipcbox_object *
region_create(const struct ipcbox_create *request)
{
	struct ipcbox_region *region;
	int error;

	if (!region_request_valid(request))
		return ERR_PTR(-EINVAL);
	region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	if (!region)
		return ERR_PTR(-ENOMEM);
	error = ipcbox_semaphore_init(region, request->semaphores);
	if (error) {
		kfree(region);
		return ERR_PTR(error);
	}
	region->object.mapped_bytes = PAGE_ALIGN(request->mapped_bytes);
	region->huge = request->flags & IPCBOX_CREATE_HUGE;
	mutex_init(&region->sealing);
	region->memcg = get_mem_cgroup_from_mm(current->mm);
	return &region->object;
}

/* The shmem file gets our functions, and holds the module for them. */
static void region_adopt(struct file *file)
{
	mutex_lock(&region_operations_lock);
	if (!region_shmem_file) {
		region_file_operations = *file->f_op;
		region_file_operations.owner = THIS_MODULE;
		region_file_operations.mmap = region_refuse_mmap;
		region_file_operations.fallocate = NULL;
		region_shmem_file = file->f_op;
	}
	mutex_unlock(&region_operations_lock);
	__module_get(THIS_MODULE);
	file->f_op = &region_file_operations;
}

static struct file *region_setup_file(const struct ipcbox_region *region,
				      const char *name)
{
	u64 size = region->object.mapped_bytes;

	if (region->huge && region_huge_mount)
		return shmem_file_setup_with_mnt(region_huge_mount, name, size,
						 0);
	return shmem_file_setup(name, size, 0);
}

/* It is named after the id, for people who read /proc/PID/maps. */
static int region_registered(struct ipcbox_object *object)
{
	struct ipcbox_region *region = ipcbox_region_of(object);
	struct file *file;
	char name[32];

	if (!object->mapped_bytes)
		return 0;
	snprintf(name, sizeof(name), "ipcbox:%llu", object->id);
	file = region_setup_file(region, name);
	/* It has no limit of its own: what it calls space is an inode's memory. */
	if (IS_ERR(file))
		return PTR_ERR(file) == -ENOSPC ? -ENOMEM : PTR_ERR(file);
	/* Nobody opens it by /proc/PID/map_files but who overrides modes. */
	file_inode(file)->i_mode = S_IFREG;
	region_adopt(file);
	region->file = file;
	return 0;
}

static void region_destroy(struct ipcbox_object *object)
{
	struct ipcbox_region *region = ipcbox_region_of(object);

	if (region->file)
		fput(region->file);
	mem_cgroup_put(region->memcg);
	ipcbox_semaphore_destroy(region);
	kfree_rcu(region, object.rcu);
}

static int region_attach(struct ipcbox_handle *handle)
{
	struct ipcbox_region *region = ipcbox_region_of(handle->object);

	spin_lock(&region->lock);
	if (handle->rights & IPCBOX_RIGHT_RECEIVE)
		region->receive_handles++;
	if (handle->rights & IPCBOX_RIGHT_SEND)
		region->send_handles++;
	spin_unlock(&region->lock);
	return 0;
}

static void region_detach(struct ipcbox_handle *handle)
{
	struct ipcbox_region *region = ipcbox_region_of(handle->object);

	ipcbox_semaphore_detach(handle);
	spin_lock(&region->lock);
	if (handle->rights & IPCBOX_RIGHT_RECEIVE)
		region->receive_handles--;
	if (handle->rights & IPCBOX_RIGHT_SEND)
		region->send_handles--;
	spin_unlock(&region->lock);
}

static void region_unlinked(struct ipcbox_object *object)
{
	ipcbox_semaphore_unlinked(ipcbox_region_of(object));
}

static void region_stat(struct ipcbox_object *object, struct ipcbox_stat *stat)
{
	struct ipcbox_region *region = ipcbox_region_of(object);

	stat->mappings = atomic_read(&region->mappings);
	stat->semaphores = region->set.count;
	/* Pairs with the release in region_seal(). */
	if (smp_load_acquire(&region->sealed))
		stat->state |= IPCBOX_STATE_SEALED;
	spin_lock(&region->lock);
	stat->receive_handles = region->receive_handles;
	stat->send_handles = region->send_handles;
	stat->receivers_waiting = region->waiting;
	spin_unlock(&region->lock);
}

/* What else can be set concerns messages. */
static int region_set_check(struct ipcbox_object *object,
			    const struct ipcbox_set *request)
{
	const u32 mask = IPCBOX_SET_MODE | IPCBOX_SET_UID | IPCBOX_SET_GID;

	return request->mask & ~mask ? -EINVAL : 0;
}

/*
 * SEAL
 */

static int region_seal_locked(struct ipcbox_region *region)
{
	int error;

	lockdep_assert_held(&region->sealing);
	if (region->sealed)
		return 0;
	if (atomic_cmpxchg(&region->writable, 0, IPCBOX_REGION_CLOSED))
		return -EBUSY;
	error = ipcbox_seal_file(region->file);
	if (error) {
		atomic_set(&region->writable, 0);
		return error;
	}
	/* Pairs with the acquire in region_stat(): what it tells is so. */
	smp_store_release(&region->sealed, true);
	return 0;
}

static long region_seal(struct ipcbox_invocation *call)
{
	struct ipcbox_handle *handle = ipcbox_handle_of(call);
	struct ipcbox_region *region = ipcbox_region_of(handle->object);
	const struct ipcbox_seal *request = call->request;
	int error;

	if (request->flags || !region->file)
		return -EINVAL;
	if (!(handle->rights & IPCBOX_RIGHT_SEND))
		return -EACCES;
	if (mutex_lock_interruptible(&region->sealing))
		return -ERESTARTSYS;
	error = region_seal_locked(region);
	mutex_unlock(&region->sealing);
	return error;
}

static const struct ipcbox_ioctl region_ioctls[] = {
	IPCBOX_IOCTL(IPCBOX_IOC_SEM, ipcbox_sem_operate, deadline,
		     ipcbox_semaphore_operate),
	IPCBOX_IOCTL(IPCBOX_IOC_SEAL, ipcbox_seal, flags, region_seal),
	IPCBOX_IOCTL(IPCBOX_IOC_SEM_GET, ipcbox_sem_get, pad,
		     ipcbox_semaphore_get),
	IPCBOX_IOCTL(IPCBOX_IOC_SEM_SET, ipcbox_sem_assign, value_size,
		     ipcbox_semaphore_assign),
	IPCBOX_IOCTL(IPCBOX_IOC_STAT, ipcbox_stat, changed_at,
		     ipcbox_object_stat, .answers = true),
	IPCBOX_IOCTL(IPCBOX_IOC_SET, ipcbox_set, max_descriptors,
		     ipcbox_object_set),
};

const struct ipcbox_kind ipcbox_region_kind = {
	.name = "region",
	.ioctls = region_ioctls,
	.ioctl_count = ARRAY_SIZE(region_ioctls),
	.create = region_create,
	.registered = region_registered,
	.destroy = region_destroy,
	.attach = region_attach,
	.detach = region_detach,
	.unlinked = region_unlinked,
	.stat = region_stat,
	.set_check = region_set_check,
	.poll = ipcbox_semaphore_poll,
	.mmap = region_mmap,
	.get_area = region_get_area,
	.travels = true,
};

/**
 * ipcbox_region_init() - make ready for regions
 *
 * Return: 0, or -ENOMEM.
 */
int ipcbox_region_init(void)
{
	struct file_system_type *type = get_fs_type("tmpfs");
	char options[] = "huge=within_size";
	struct vfsmount *mount;

	if (!type)
		return 0;
	mount = vfs_kern_mount(type, SB_KERNMOUNT, type->name, options);
	if (mount == ERR_PTR(-ENOMEM))
		return -ENOMEM;
	/* The option is unknown where there are no huge pages. */
	region_huge_mount = IS_ERR(mount) ? NULL : mount;
	return 0;
}

/**
 * ipcbox_region_exit() - there are no regions any more
 */
void ipcbox_region_exit(void)
{
	if (region_huge_mount)
		kern_unmount(region_huge_mount);
}
