#include "engine/consumers/canonical_mail.hpp"

namespace consumers {
namespace {

/// Others on the shard have their turn between two pieces of a large mail.
awaitable<void> give_way() {
    auto shard = co_await asio::this_coro::executor;
    co_await asio::post(shard, asio::use_awaitable);
}

}  // namespace

CanonicalMail::CanonicalMail(std::string_view front, std::string_view body) {
    smtp::BodyInspection inspection;
    inspection.take(body);
    const auto facts = inspection.facts();
    eight_bit_ = facts.eight_bit;
    front_.reserve(front.size() + body.size() + 2);
    front_ = front;
    if (facts.canonical()) {
        front_ += body;
    } else {
        canonicalisation_.put(body, front_);
        canonicalisation_.finish(front_);
    }
    size_bytes_ = front_.size();
}

CanonicalMail::CanonicalMail(std::string_view front, const Mail& mail) : front_(front), mail_(&mail) {}

awaitable<Result<void>> CanonicalMail::prepare() {
    if (mail_ == nullptr) co_return Result<void>();
    smtp::BodyInspection inspection;
    BodyReader looked_at(*mail_->bodies, mail_->record.body);
    while (!looked_at.finished()) {
        auto piece = looked_at.next();
        if (!piece) co_return piece.error();
        inspection.take(*piece);
        co_await give_way();
    }
    const auto facts = inspection.facts();
    eight_bit_ = facts.eight_bit;
    canonical_ = facts.canonical();
    size_bytes_ = front_.size() + facts.bytes;
    rewind();
    if (canonical_) co_return Result<void>();
    size_bytes_ = 0;
    for (;;) {
        auto piece = co_await next();
        if (!piece) co_return piece.error();
        if (piece->empty()) break;
        size_bytes_ += piece->size();
        co_await give_way();
    }
    rewind();
    co_return Result<void>();
}

void CanonicalMail::rewind() {
    front_given_ = false;
    if (mail_ == nullptr) return;
    reader_.emplace(*mail_->bodies, mail_->record.body);
    canonicalisation_ = {};
    finished_ = canonical_;
}

awaitable<Result<std::string_view>> CanonicalMail::next() {
    if (!front_given_) {
        front_given_ = true;
        if (!front_.empty()) co_return std::string_view(front_);
    }
    piece_.clear();
    while (piece_.empty() && reader_ && !reader_->finished()) {
        auto read = reader_->next();
        if (!read) co_return read.error();
        if (canonical_)
            piece_ = std::move(*read);
        else
            canonicalisation_.put(*read, piece_);
    }
    if (piece_.empty() && !finished_) {
        finished_ = true;
        canonicalisation_.finish(piece_);
    }
    co_return std::string_view(piece_);
}

}  // namespace consumers
