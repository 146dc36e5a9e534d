// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Hashing} from "./Hashing.sol";
import {LifeboatBase} from "./LifeboatBase.sol";

/// @title Deposits in, credits out
/// @dev Spec sections 1.3 and 5.5. `funded` of a token counts what came in and what was released; a payment needs its place on the line
/// to be covered by it.
abstract contract Vault is LifeboatBase, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    function depositEth(address owner) external payable nonReentrant returns (uint64) {
        return _deposit(owner, ETH, msg.value);
    }

    function depositErc20(address token, uint256 amount, address owner) external nonReentrant returns (uint64) {
        return _depositErc20(token, amount, owner);
    }

    function depositErc20WithPermit(
        address token,
        uint256 amount,
        address owner,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (uint64) {
        // A permit seen in the mempool can be used by anyone first; the allowance is then there all the same.
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        return _depositErc20(token, amount, owner);
    }

    function withdraw(address token, address account) external nonReentrant returns (uint256 amount) {
        amount = _credits[token][account];
        if (amount == 0) revert NothingToDo();
        delete _credits[token][account];
        emit Withdrawn(token, account, amount);
        if (token != ETH) {
            IERC20(token).safeTransfer(account, amount);
        } else {
            (bool sent,) = account.call{value: amount}("");
            if (!sent) revert TransferFailed(token, account);
        }
    }

    function depositRecord(uint256 position) external view returns (bytes27, uint40) {
        DepositRecord storage d = _deposits[position];
        return (d.depositHash, d.l1Block);
    }

    function totals(address token) external view returns (uint128, uint128) {
        Totals storage t = _totals[token];
        return (t.funded, t.line);
    }

    function credit(address token, address account) external view returns (uint256) {
        return _credits[token][account];
    }

    function _depositErc20(address token, uint256 amount, address owner) private returns (uint64) {
        if (token.code.length == 0) revert TokenUnsupported(token);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        return _deposit(owner, token, IERC20(token).balanceOf(address(this)) - before);
    }

    /// @dev The number of deposits between two blocks is limited by 2^20, about 60 billion gas; the next block opens a new range.
    function _deposit(address owner, address token, uint256 amount) private returns (uint64 position) {
        if (owner == address(0)) revert NotOwner(owner, msg.sender);
        if (amount == 0 || amount > type(uint128).max) revert AmountOutOfRange(amount);
        uint256 voidFrom = _head.voidFrom;
        if (voidFrom != 0) revert ChainHalted(voidFrom);
        uint256 newest = _head.newest;
        uint256 count = _head.depositCount;
        if (count >= DEPOSIT_INDEX) revert TooManyDeposits(newest);
        _head.depositCount = uint24(count + 1);
        position = uint64((newest << 25) | ((DEPOSIT_INDEX + count) << 4));
        _deposits[position] = DepositRecord(Hashing.deposit(owner, token, amount), uint40(block.number));
        uint256 funded = uint256(_totals[token].funded) + amount;
        if (funded > type(uint128).max) revert LedgerFull(token);
        _totals[token].funded = uint128(funded);
        emit Deposited(position, owner, token, uint128(amount));
    }
}
