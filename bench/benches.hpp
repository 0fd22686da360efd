#pragma once
/// Each bench measures one path and prints one line of JSON. They return an exit code.

int bench_queue(int argc, char** argv);
int bench_tokens(int argc, char** argv);
int bench_store(int argc, char** argv);
int bench_retriever(int argc, char** argv);
int bench_renumbering(int argc, char** argv);
int bench_idle(int argc, char** argv);
int bench_neighbours(int argc, char** argv);
int bench_hand_off(int argc, char** argv);
int bench_outbox(int argc, char** argv);
int bench_accept(int argc, char** argv);
int bench_dispatcher(int argc, char** argv);
int bench_view(int argc, char** argv);
int bench_listener(int argc, char** argv);
int bench_engine(int argc, char** argv);
