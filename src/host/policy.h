/* How the kernel schedules the server.

   Short slices: of the tasks that have had less than their share, Linux 6.12
   and later (EEVDF) takes the one whose slice ends first.  A server that asks
   for short ones comes up soon after it wakes, without more of the processor
   than is its share, and without any right.  The program has nothing of this.
   Where somebody has chosen a policy for the server, it is left alone.  */

#ifndef HOST_POLICY_H
#define HOST_POLICY_H

/* From now on the calling thread, and those that it will start, run in short
   slices.  */
void policy_shorten_slices (void);

/* In a child, before its exec: run in those that it would have had.  */
void policy_restore_slices (void);

/* The calling thread does very little, and is to do that before all others
   do anything, where that is permitted (CAP_SYS_NICE, RLIMIT_RTPRIO).  */
void policy_be_first (void);

#endif
