/* The work queue as queue/ring.hpp, event_count.* and work_queue.hpp build it: slots with turns, claims by compare-and-swap
 * on tail and head, and park and wake on both ends. run.sh says which scenarios and which mutants are checked.
 *
 * Memory: what a thread stores into a slot goes through a store buffer of its own, in order (TSO). `memory` drains it at
 * any later time; fences and locks wait for that, a compare-and-swap does not (weaker than x86). An interest is published
 * under the lock, but who loads the counter without it is certain to see it only after the fence behind it.
 *
 * Held at every step: a value comes out of the position it was pushed at, once, and in its pusher's order.
 * Held when nothing moves any more: nobody is parked while what he waits for is there, nobody is stuck elsewhere, and
 * every value was popped or still lies in the ring.
 *
 * One step is what no other thread can tell apart from several: a claim and the stores behind it (they only reach the
 * buffer; the slot is the claimer's alone), and the notifier's fence, load and wake (an empty row makes wake a no-op).
 */
#ifndef PUSHERS
#define PUSHERS 2
#endif
#ifndef POPPERS
#define POPPERS 2
#endif
#ifndef EACH      /* values of each pusher */
#define EACH 1
#endif
#ifndef PUSH_MAX  /* 1: try_push, 2: try_push_batch of two */
#define PUSH_MAX 1
#endif
#ifndef POP_MAX   /* the batch of try_pop_batch */
#define POP_MAX 1
#endif
#ifndef TAKES     /* pops of each popper, after which it is gone for good */
#define TAKES 255
#endif
#ifndef FULL      /* values that lie in the ring at the start */
#define FULL 0
#endif
#ifndef CANCEL_PUSH
#define CANCEL_PUSH 0
#endif
#ifndef CANCEL_POP
#define CANCEL_POP 0
#endif
#ifndef TIME_OUT
#define TIME_OUT 0
#endif

#define SLOTS   2
#define ITEMS   (FULL + PUSHERS * EACH)
#define FILLED  0  /* poppers wait here */
#define EMPTIED 1  /* pushers wait here */
#ifdef CLOSE
#define THREADS (PUSHERS + POPPERS + 1)
#else
#define THREADS (PUSHERS + POPPERS)
#endif
#define NOTHING 255

byte turn[SLOTS];
byte value[SLOTS];
byte tail, head;

byte interested[2];    /* as those who hold the lock know it */
byte seen[2];          /* what a load may still say */
chan row0 = [THREADS] of { byte };
chan row1 = [THREADS] of { byte };
bool called[THREADS];
bool woken[THREADS];
bool closed;

/* Store buffers: two entries a thread. */
byte stores[THREADS];
byte store_slot[2 * THREADS], store_turn[2 * THREADS], store_value[2 * THREADS];

/* What only the checks know. Value v < FULL was there at the start; pusher p has FULL + p * EACH and those behind it. */
byte pushed_at[ITEMS];  /* position -> value */
bool popped[ITEMS];
byte pops;
bool parked[THREADS];
#ifdef CLOSE
byte pushers_done;
#endif
bool over;              /* nothing moves any more: all go home */

inline drain_one(whose) {
    turn[store_slot[2 * whose]] = store_turn[2 * whose];
    if
    :: store_value[2 * whose] != NOTHING -> value[store_slot[2 * whose]] = store_value[2 * whose]
    :: else
    fi;
    store_slot[2 * whose] = store_slot[2 * whose + 1];
    store_turn[2 * whose] = store_turn[2 * whose + 1];
    store_value[2 * whose] = store_value[2 * whose + 1];
    store_slot[2 * whose + 1] = 0;
    store_turn[2 * whose + 1] = 0;
    store_value[2 * whose + 1] = 0;
    stores[whose] = stores[whose] - 1
}

inline put_store(s, t0, v) {
    stores[me] < 2 ->
    store_slot[2 * me + stores[me]] = (s);
    store_turn[2 * me + stores[me]] = (t0);
    store_value[2 * me + stores[me]] = v;
    stores[me] = stores[me] + 1
}

/* The newest store of our own, or memory. */
inline load_turn(s) {
    d_step {
        t = turn[s];
        if
        :: stores[me] > 0 && store_slot[2 * me] == s -> t = store_turn[2 * me]
        :: else
        fi;
        if
        :: stores[me] > 1 && store_slot[2 * me + 1] == s -> t = store_turn[2 * me + 1]
        :: else
        fi
    }
}

inline claim_for_push(many) {
    tail = position + many;
    done = many;
    at = 0;
    do
    :: at < many ->
       pushed_at[position + at] = item + at;
#ifdef MUTATE_TURN_FIRST
       put_store((position + at) % SLOTS, position + at + 1, NOTHING);
#endif
       put_store((position + at) % SLOTS, position + at + 1, item + at);
       at++
    :: else -> break
    od;
    at = 0
}

inline try_push() {
    done = 0;
    position = tail;
    do
    :: load_turn(position % SLOTS);
       if
       :: t == position ->
#ifdef MUTATE_NO_CAS
          gone = (tail != position);
          atomic { if :: !gone -> claim_for_push(1) :: gone -> gone = 0; position = tail fi };
#else
          atomic { if :: tail == position -> claim_for_push(1) :: else -> position = tail fi };
#endif
          if
          :: done -> break
          :: else
          fi
       :: t < position -> break
       :: t > position -> position = tail
       fi
    od;
    position = 0;
    t = 0
}

/* The slots from `position` on whose turn has come. */
inline run_of(step, count_max) {
    count = 0;
    do
    :: count < count_max && count < SLOTS ->
       load_turn((position + count) % SLOTS);
       if
       :: t == position + count + step -> count++
       :: else -> break
       fi
    :: else -> break
    od;
    t = 0
}

inline try_push_batch(count_max) {
    done = 0;
    do
    :: position = tail;
       run_of(0, count_max);
       if
       :: count == 0 ->
          if
          :: position != tail
          :: else -> break
          fi
       :: else ->
          atomic { if :: tail == position -> claim_for_push(count) :: else fi };
          if
          :: done -> break
          :: else
          fi
       fi
    od;
    position = 0;
    count = 0
}

inline take_out(where) {
    item = value[(where) % SLOTS];
    assert(item == pushed_at[where]);
    assert(!popped[item]);
    popped[item] = 1;
    if
    :: item >= FULL ->
       assert(last[(item - FULL) / EACH] <= item);
       last[(item - FULL) / EACH] = item + 1
    :: else
    fi;
    pops++;
    item = 0
}

inline claim_for_pop(many) {
    head = position + many;
    done = many;
    at = 0;
    do
    :: at < many ->
#ifndef MUTATE_FREE_EARLY
       take_out(position + at);
#endif
       put_store((position + at) % SLOTS, position + at + SLOTS, NOTHING);
       at++
    :: else -> break
    od;
    at = 0
}

inline try_pop_batch(count_max) {
    done = 0;
    do
    :: position = head;
       run_of(1, count_max);
       if
       :: count == 0 ->
          if
          :: position != head
          :: else -> break
          fi
       :: else ->
#ifdef MUTATE_NO_CAS
          gone = (head != position);
          atomic { if :: !gone -> claim_for_pop(count) :: gone -> gone = 0 fi };
#else
          atomic { if :: head == position -> claim_for_pop(count) :: else fi };
#endif
          if
          :: done ->
#ifdef MUTATE_FREE_EARLY
             do
             :: at < done -> d_step { take_out(position + at); at++ }
             :: else -> break
             od;
             at = 0;
#endif
             break
          :: else
          fi
       fi
    od;
    position = 0;
    count = 0
}

#define lower_seen(which) seen[which] = (seen[which] > interested[which] -> interested[which] : seen[which])

inline notify(row, which, many) {
    atomic {
#ifndef MUTATE_NO_FENCE
        stores[me] == 0;
#endif
        if
        :: found = (seen[which] > 0)
        :: found = (interested[which] > 0)
        fi;
        if
        :: found ->
           stores[me] == 0;  /* the lock */
           at = many;
           do
           :: at > 0 && nempty(row) ->
              row?who;
              interested[which] = interested[which] - 1;
              called[who] = 1;
              woken[who] = 1;
              at = at - 1
           :: at == 0 || empty(row) -> break
           od;
           lower_seen(which);
           at = 0;
           who = 0;
           found = 0
        :: else
        fi
    }
}

inline publish(row, which) {
    atomic {
        stores[me] == 0;
        row!me;
        interested[which] = interested[which] + 1;
        called[me] = 0;
        heard = 0;
#ifndef MUTATE_NO_PUBLISH_FENCE
        seen[which] = interested[which]
#endif
    }
}

inline withdraw(row, which) {
    atomic {
        stores[me] == 0;
        if
        :: called[me] -> found = !heard; called[me] = 0
        :: !called[me] ->
           row??eval(me);
           interested[which] = interested[which] - 1;
           lower_seen(which);
           found = 0
        fi;
        heard = 0
    };
    if
    :: found ->
       found = 0;
#ifndef MUTATE_NO_PASS_ON
       notify(row, which, 1)
#endif
    :: else
    fi
}

/* Ends woken, cancelled (not heard) or, for a thread, with its time over (heard, though perhaps not called). */
inline park(may_cancel, may_time_out) {
    parked[me] = 1;
    if
    :: atomic { woken[me] -> woken[me] = 0; heard = 1; parked[me] = 0 }
    :: atomic { may_cancel && !over -> gone = 1; parked[me] = 0 }
    :: atomic { may_time_out && !over -> woken[me] = 0; heard = 1; late = 1; parked[me] = 0 }
    :: atomic { over -> gone = 1; heard = 1; parked[me] = 0 }
    fi;
    was_woken = 1
}

/* Whoever was woken and served looks whether there is more: the wake-up for what lies behind a slower thread's slot may
 * have gone to one who could not take it yet. */
inline pass_on_rest(row, which, end, step) {
#ifndef MUTATE_NO_REST
    if
    :: was_woken ->
       position = end;
       load_turn(position % SLOTS);
       if
       :: t == position + step -> notify(row, which, 1)
       :: else
       fi;
       position = 0;
       t = 0
    :: else
    fi;
#endif
    was_woken = 0
}

#if PUSH_MAX == 1
#define PUSH() try_push()
#else
#define PUSH() want = (next - item < PUSH_MAX -> next - item : PUSH_MAX); try_push_batch(want)
#endif
#ifdef MUTATE_NO_RECHECK
#define LOOK_AGAIN(look) if :: !was_woken -> done = 0 :: else -> look fi
#else
#define LOOK_AGAIN(look) look
#endif

proctype pusher(byte me; bool may_cancel) {
    byte position, t, count, done, at, who, item, next, want;
    bool found, heard, gone, late, was_woken;
    item = FULL + me * EACH;
    next = item + EACH;
    do
    :: item < next && !gone ->
       PUSH();
       if
       :: done ->
          notify(row0, FILLED, done)
       :: else ->
          do
          :: publish(row1, EMPTIED);
             LOOK_AGAIN(PUSH());
             if
             :: done -> notify(row0, FILLED, done)
             :: else -> park(may_cancel, 0)
             fi;
             withdraw(row1, EMPTIED);
             if
             :: done -> pass_on_rest(row1, EMPTIED, tail, 0); break
             :: !done && gone -> was_woken = 0; break
             :: else
             fi
          od
       fi;
       item = item + done;
       done = 0
    :: else -> break
    od;
    atomic {
        item = 0;
        next = 0;
        gone = 0;
#ifdef CLOSE
        pushers_done++
#endif
    }
}

proctype popper(byte me; bool may_cancel; bool may_time_out) {
    byte position, t, count, done, at, who, item, takes;
    bool found, heard, gone, was_woken, ending, late;
    byte last[PUSHERS];
    do
    :: takes < TAKES && !gone ->
       try_pop_batch(POP_MAX);
       if
       :: done ->
          notify(row1, EMPTIED, done)
       :: else ->
          do
          :: publish(row0, FILLED);
#if defined(CLOSE) && !defined(MUTATE_CLOSED_AFTER_LOOK)
             ending = closed;
#endif
             LOOK_AGAIN(try_pop_batch(POP_MAX));
#if defined(CLOSE) && defined(MUTATE_CLOSED_AFTER_LOOK)
             ending = closed;
#endif
             if
             :: done -> notify(row1, EMPTIED, done)
             :: !done && (ending || late) -> gone = 1
             :: else -> park(may_cancel, may_time_out)
             fi;
             withdraw(row0, FILLED);
             if
             :: done -> pass_on_rest(row0, FILLED, head, 1); break
             :: !done && gone -> was_woken = 0; break
             :: else
             fi
          od
       fi;
       if
       :: TAKES < 255 -> takes++
       :: else
       fi;
       done = 0
    :: else -> break
    od;
    atomic { takes = 0; gone = 0; ending = 0; late = 0; last[0] = 0; last[PUSHERS - 1] = 0 }
}

#ifdef CLOSE
proctype closer(byte me) {
    byte at, who;
    bool found;
    pushers_done == PUSHERS;
    closed = 1;
    notify(row0, FILLED, THREADS)
}
#endif

active proctype memory() {
end:
    do
    :: atomic { stores[0] > 0 -> drain_one(0) }
    :: atomic { stores[1] > 0 -> drain_one(1) }
#if THREADS > 2
    :: atomic { stores[2] > 0 -> drain_one(2) }
#endif
#if THREADS > 3
    :: atomic { stores[3] > 0 -> drain_one(3) }
#endif
    od
}

/* The first pusher and the first popper are the ones that may be cancelled or have a time limit. */
init {
    byte which;
    atomic {
        do
        :: which < SLOTS ->
           if
           :: which < FULL -> turn[which] = which + 1; value[which] = which; pushed_at[which] = which; tail = which + 1
           :: else -> turn[which] = which
           fi;
           which++
        :: else -> break
        od;
        which = 0;
        do
        :: which < PUSHERS -> run pusher(which, CANCEL_PUSH && which == 0); which++
        :: else -> break
        od;
        which = 0;
        do
        :: which < POPPERS -> run popper(PUSHERS + which, CANCEL_POP && which == 0, TIME_OUT && which == 0); which++
        :: else -> break
        od;
#ifdef CLOSE
        run closer(PUSHERS + POPPERS);
#endif
        which = 0
    };
    atomic {
        timeout;  /* nothing moves any more */
        do
        :: which < PUSHERS -> assert(!parked[which] || turn[tail % SLOTS] != tail); which++
        :: which >= PUSHERS && which < PUSHERS + POPPERS ->
           assert(!parked[which] || turn[head % SLOTS] != head + 1);
           which++
        :: else -> break
        od;
        /* What was pushed came out or lies there. */
        assert(tail >= head && tail - head <= SLOTS && pops == head);
        which = head;
        do
        :: which < tail ->
           assert(turn[which % SLOTS] == which + 1 && value[which % SLOTS] == pushed_at[which]);
           which++
        :: else -> break
        od;
#ifdef CLOSE
        assert(pops == ITEMS);
#endif
        over = 1
    }
}
