// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title A token for devnets and drills: anyone mints as much as they like, so it is worth nothing
contract DemoToken is ERC20Permit {
    constructor() ERC20("Demo", "DEMO") ERC20Permit("Demo") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}
