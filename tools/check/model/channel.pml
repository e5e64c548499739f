/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The protocol of a channel, as <linux/ipcbox_ring.h>, the library's
 * channel_wait.c and the module's channel.c have it, for spin(1).
 *
 * A producer sends MESSAGES messages of one or two units through a ring of three;
 * the consumer takes them in order. Both publish, sleep and wake as the code does,
 * on a machine that keeps each one's last store of its position back for as long
 * as it likes, until a fence, as x86 does and others may. Waits may end too early,
 * by a deadline, and the producer may be killed between any two steps.
 *
 * Shown: nobody sleeps for ever (an invalid end state), no message is lost or
 * doubled, nothing that is not read is written over; what a killed producer had
 * published is received, and then its end is noticed.
 *
 * -DFENCED	the ends fence at each publication, as when they are polled
 *
 * Each of these takes a step away, and must be seen to fail:
 *
 * -DNO_BARRIER	the sleeper executes no barrier for the other
 * -DNO_WISH	WAIT does not look whether the wish was cleared meanwhile
 * -DNO_QUEUE	WAIT looks at the position before it joins the queue
 * -DEARLY_END	the end is looked for after the position, not before
 * -DNO_LOOK	the producer does not look for room
 */
#ifndef MESSAGES
#define MESSAGES	4
#endif
#define SIZE		3
#define TIMEOUTS	1

#define CONSUMER	0
#define PRODUCER	1

/* What each end has in its page, as the other sees it. */
byte position[2];
bool sleeps[2];
byte wanted[2];
bool ended[2];

/* A store of the position that only its writer knows of. */
bool kept[2];
byte keeps[2];

/* The kernel's: in the wait queue. */
bool queued[2];
byte timeouts[2];

/* The ring: the number of the message in each unit, 0 for none that counts. */
byte data[SIZE];
byte sent;
byte received;
bool killed;

inline drain(who)
{
	atomic {
		if
		:: kept[who] -> position[who] = keeps[who]; kept[who] = false
		:: else
		fi
	}
}

inline store_position(who, value)
{
	atomic {
		/* In order: the one before is out. */
		if
		:: kept[who] -> position[who] = keeps[who]
		:: else
		fi;
		keeps[who] = value;
		kept[who] = true
	}
}

inline wake(who)
{
	sleeps[who] = false;
	queued[who] = false
}

/* ipcbox_ring_publish() and the WAKE that it asks for. */
inline publish(who, value)
{
	store_position(who, value);
#ifdef FENCED
	drain(who);
#endif
	if
	:: sleeps[1 - who] ->
		/* Read later than the other: another wish, perhaps. */
		wish = wanted[1 - who];
		if
		:: value >= wish -> wake(1 - who)
		:: else
		fi
	:: else
	fi
}

/* sleep_once(); the caller looks again, whatever came. */
inline sleep(who, want)
{
	drain(who);
	wanted[who] = want;
	sleeps[who] = true;
#if !defined(FENCED) && !defined(NO_BARRIER)
	drain(1 - who);
#endif
	if
	:: position[1 - who] >= want || ended[1 - who]
	:: else ->
#ifdef NO_QUEUE
		if
		:: position[1 - who] >= want || ended[1 - who] || !sleeps[who]
		:: else ->
			queued[who] = true;
			wait_queue(who)
		fi;
#else
		queued[who] = true;
		if
		:: ended[1 - who]
		:: else ->
			if
			:: position[1 - who] >= want
#ifndef NO_WISH
			:: position[1 - who] < want && !sleeps[who]
			:: position[1 - who] < want && sleeps[who] ->
				wait_queue(who)
#else
			:: position[1 - who] < want -> wait_queue(who)
#endif
			fi
		fi;
#endif
		queued[who] = false
	fi;
	sleeps[who] = false
}

inline wait_queue(who)
{
	if
	:: !queued[who]
	:: timeouts[who] < TIMEOUTS -> timeouts[who]++
	fi
}

inline close(who)
{
	/* A process that ends has its stores done. */
	drain(who);
	ended[who] = true;
	queued[1 - who] = false
}

active proctype producer()
{
	byte tail, head, length, wish, i;

	{
		do
		:: sent == MESSAGES -> break
		:: else ->
			if
			:: length = 1
			:: length = 2
			fi;
#ifndef NO_LOOK
			do
			:: tail + length - head <= SIZE -> break
			:: else ->
				head = position[CONSUMER];
				if
				:: tail + length - head <= SIZE
				:: else ->
					sleep(PRODUCER, tail + length - SIZE)
				fi
			od;
#endif
			i = 0;
			do
			:: i == length -> break
			:: else ->
				assert(data[(tail + i) % SIZE] == 0);
				data[(tail + i) % SIZE] = (i == 0 -> sent + 1 : 255);
				i++
			od;
			tail = tail + length;
			sent++;
			publish(PRODUCER, tail)
		od
	} unless {
		atomic { killed -> skip }
	};
	close(PRODUCER)
}

/* At any time, or never. */
active proctype killer()
{
	if
	:: killed = true
	:: true
	fi
}

active proctype consumer()
{
	byte tail, head, wish, i;
	bool end;

	do
	:: head < tail ->
		/* The next, and nothing else. */
		assert(data[head % SIZE] == received + 1);
		received++;
		i = head;
		do
		:: data[i % SIZE] = 0;
			i++;
			if
			:: i == tail || data[i % SIZE] != 255 -> break
			:: else
			fi
		od;
		head = i;
		publish(CONSUMER, head)
	:: else ->
#ifndef EARLY_END
		end = ended[PRODUCER];
#endif
		tail = position[PRODUCER];
#ifdef EARLY_END
		end = ended[PRODUCER];
#endif
		if
		:: head < tail
		:: head == tail && end -> break
		:: else -> sleep(CONSUMER, head + 1)
		fi
	od;
	/* All that was published, which of a killed producer may be one less. */
	assert(head == position[PRODUCER]);
	assert(received == sent || (killed && received + 1 == sent));
	ended[CONSUMER] = true
}

/* Stores come out some time. */
active proctype memory()
{
end:
	do
	:: atomic { kept[CONSUMER] -> position[CONSUMER] = keeps[CONSUMER];
		    kept[CONSUMER] = false }
	:: atomic { kept[PRODUCER] -> position[PRODUCER] = keeps[PRODUCER];
		    kept[PRODUCER] = false }
	od
}
