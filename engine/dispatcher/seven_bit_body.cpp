#include "engine/dispatcher/seven_bit_body.hpp"

#include <utility>

namespace dispatcher {
namespace {

/// Others on the shard have their turn between two pieces of a large mail.
awaitable<void> give_way() {
    auto shard = co_await asio::this_coro::executor;
    co_await asio::post(shard, asio::use_awaitable);
}

}  // namespace

awaitable<Result<std::string>> SevenBitBody::prepare() {
    mime::Survey survey(mime::Goal::seven_bit);
    StoredBody looked_at(bodies_, place_);
    for (;;) {
        auto piece = co_await looked_at.next();
        if (!piece) co_return piece.error();
        if (piece->empty()) break;
        survey.put(*piece);
        co_await give_way();
    }
    const auto plan = survey.finish();
    if (plan.unfit) co_return plan.unfit->words();
    begin(plan);
    for (;;) {
        auto piece = co_await next();
        if (!piece) co_return piece.error();
        if (piece->empty()) break;
        size_bytes_ += piece->size();
        co_await give_way();
    }
    begin(plan);
    co_return std::string();
}

void SevenBitBody::begin(const mime::Plan& plan) {
    source_.emplace(bodies_, place_);
    conversion_.emplace(plan);
    ended_ = false;
}

awaitable<Result<std::string_view>> SevenBitBody::next() {
    piece_.clear();
    while (piece_.empty() && !ended_) {
        auto read = co_await source_->next();
        if (!read) co_return read.error();
        ended_ = read->empty();
        if (ended_)
            conversion_->finish(piece_);
        else
            conversion_->put(*read, piece_);
    }
    co_return std::string_view(piece_);
}

}  // namespace dispatcher
