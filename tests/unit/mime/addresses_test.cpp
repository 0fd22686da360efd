#include "protocols/mime/addresses.hpp"

#include <catch2/catch.hpp>

using mime::addresses_in;
using List = std::vector<std::string>;

TEST_CASE("addresses are found among names, comments and groups", "[mime]") {
    CHECK(addresses_in("a@b.test").value() == List{"a@b.test"});
    CHECK(addresses_in("").value() == List{});
    CHECK(addresses_in("a@b.test, c@d.test").value() == List{"a@b.test", "c@d.test"});
    CHECK(addresses_in("Ann <a@b.test>,\r\n \"Doe, John\" <j@d.test>").value() == List{"a@b.test", "j@d.test"});
    CHECK(addresses_in("a@b.test (Ann (the first), here), c@d.test").value() == List{"a@b.test", "c@d.test"});
    CHECK(addresses_in("Team: a@b.test, Bea <b@c.test>;, d@e.test").value() ==
          List{"a@b.test", "b@c.test", "d@e.test"});
    CHECK(addresses_in("undisclosed-recipients:;").value() == List{});
    CHECK(addresses_in("\"a b\"@c.test").value() == List{"\"a b\"@c.test"});
    CHECK(addresses_in("< a@b.test >").value() == List{"a@b.test"});
    CHECK(addresses_in("<@r.test,@s.test:a@b.test>").value() == List{"a@b.test"});
    CHECK(addresses_in("john . doe @ b.test").value() == List{"john.doe@b.test"});
    CHECK(addresses_in(",a@b.test,,").value() == List{"a@b.test"});
    CHECK(addresses_in("\"x>\\\"y\" <a@b.test>").value() == List{"a@b.test"});
    CHECK(addresses_in("<\"x>y\"@b.test>").value() == List{"\"x>y\"@b.test"});
}

TEST_CASE("a broken list is no list", "[mime]") {
    for (const char* broken : {"\"a@b.test", "<a@b.test", "a@b.test>", "(a@b.test", "a) b", "<>", "< >", "Ann a@b.test",
                               "<a@b.test> <c@d.test>", "<@a@b.test>", "((((((((((((((((((a))))))))))))))))))"}) {
        CAPTURE(broken);
        CHECK_FALSE(addresses_in(broken).has_value());
    }
}
