/* The sample of the manual's session on C++: an exception, from where it is
   thrown to where it is caught.  */

#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>

class account
{
public:
  explicit account (int balance) : balance (balance) {}

  void
  withdraw (int amount)
  {
    if (amount > balance)
      throw std::runtime_error ("not enough");
    balance -= amount;
  }

private:
  int balance;
};

static int
pay_all (std::map<std::string, account> &accounts, int amount)
{
  int failed = 0;

  for (auto &[name, a] : accounts)
    try
      {
        a.withdraw (amount);
      }
    catch (const std::exception &e)
      {
        std::printf ("%s: %s\n", name.c_str (), e.what ());
        failed++;
      }
  return failed;
}

int
main ()
{
  std::map<std::string, account> accounts
    { { "ada", account (100) }, { "bob", account (20) } };

  return pay_all (accounts, 50) == 1 ? 0 : 1;
}
